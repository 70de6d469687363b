// UTF-8 that may be damaged: reading, checking, repairing, counting and writing it.
//
// Well-formed is what RFC 3629 calls so: no overlong forms, no surrogates, nothing above U+10FFFF.
#ifndef HYDROPHONE_SERVER_BASE_UTF8_H_
#define HYDROPHONE_SERVER_BASE_UTF8_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace hydrophone {

// Stands for a byte that belongs to no well-formed sequence. U+FFFD is neither letter, number nor white space.
inline constexpr char32_t kReplacementCharacter = 0xFFFD;

struct CodePoint {
  char32_t value = kReplacementCharacter;
  size_t size = 1;     // bytes, 1 to 4
  bool valid = false;  // false: one byte that is not UTF-8, and `value` is kReplacementCharacter
};

// The code point at the start of `text`. Of a sequence that is not well-formed, exactly one byte is consumed.
// REQUIRES: `text` is not empty.
CodePoint ReadUtf8(absl::string_view text);

// Appends `code_point` (at most U+10FFFF) to `text`.
void AppendUtf8(char32_t code_point, std::string* text);

// Whether all of it is well-formed UTF-8, which is what protobuf's `string` may hold.
bool IsUtf8(absl::string_view bytes);

// The bytes with each maximal invalid part replaced by U+FFFD: one for the longest beginning of a well-formed sequence
// that breaks off, one for every other byte. Python's decode("utf-8", "replace") does the same.
std::string ToUtf8(absl::string_view bytes);

// How many characters well-formed UTF-8 has.
size_t CountCharacters(absl::string_view utf8);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_UTF8_H_
