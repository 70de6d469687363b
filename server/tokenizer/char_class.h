// The character classes of GPT-2's splitter.
#ifndef HYDROPHONE_SERVER_TOKENIZER_CHAR_CLASS_H_
#define HYDROPHONE_SERVER_TOKENIZER_CHAR_CLASS_H_

namespace hydrophone {

// Every code point is in exactly one class.
enum class CharClass : unsigned char {
  kLetter,  // \p{L}
  kNumber,  // \p{N}
  kSpace,   // \s
  kOther,   // [^\s\p{L}\p{N}]
};

// The class of `code_point` as Hugging Face's splitter sees it (unicode_tables.h). kOther for a
// number that is no code point.
CharClass ClassOf(char32_t code_point);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_CHAR_CLASS_H_
