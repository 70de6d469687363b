// Reading and writing UTF-8 that may be damaged.
#ifndef HYDROPHONE_SERVER_TOKENIZER_UTF8_H_
#define HYDROPHONE_SERVER_TOKENIZER_UTF8_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace hydrophone {

// Stands for a byte that belongs to no well-formed sequence. U+FFFD is neither letter, number nor
// white space.
inline constexpr char32_t kReplacementCharacter = 0xFFFD;

struct CodePoint {
  char32_t value = kReplacementCharacter;
  size_t size = 1;     // bytes, 1 to 4
  bool valid = false;  // false: one byte that is not UTF-8, `value` is kReplacementCharacter
};

// The code point at the start of `text`, which must not be empty. Strict as RFC 3629: overlong
// forms, surrogates, values above U+10FFFF and cut sequences are invalid, and then exactly one byte
// is consumed.
CodePoint ReadUtf8(absl::string_view text);

// Appends `code_point` (at most U+10FFFF) to `text`.
void AppendUtf8(char32_t code_point, std::string* text);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_UTF8_H_
