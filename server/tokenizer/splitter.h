// GPT-2's pre-tokenization: text into words, within which (and never across) pieces are merged.
//
// The words are the successive matches of the regular expression that GPT-2 was trained with:
//
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// Written by hand, because no regular expression library in the distribution follows the same
// version of Unicode as Hugging Face's (Debian's PCRE2 puts 9,393 code points into other classes),
// and because this one expression needs neither backtracking nor memory: each word's end is found
// in one pass over the word.
//
// Bytes that are not UTF-8 are each read as one character that is neither letter, number nor white
// space. Hugging Face has no rule for them, since its input is always valid.
#ifndef HYDROPHONE_SERVER_TOKENIZER_SPLITTER_H_
#define HYDROPHONE_SERVER_TOKENIZER_SPLITTER_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace hydrophone {

// The size in bytes of the first word of `text`: at least 1, at most text.size(). `text` must not
// be empty. Only what follows a word can change where it ends, never what precedes it, so a text is
// split by asking again for its rest.
size_t FirstWordSize(absl::string_view text);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_SPLITTER_H_
