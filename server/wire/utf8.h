// Bytes that may be UTF-8.
#ifndef HYDROPHONE_SERVER_WIRE_UTF8_H_
#define HYDROPHONE_SERVER_WIRE_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hydrophone {

// Whether all of it is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above
// U+10FFFF).
bool IsUtf8(absl::string_view bytes);

// The bytes with each maximal invalid part replaced by U+FFFD: one for the longest beginning of a
// well-formed sequence that breaks off, one for every other byte. Python's decode("utf-8",
// "replace") does the same.
std::string ToUtf8(absl::string_view bytes);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_WIRE_UTF8_H_
