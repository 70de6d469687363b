// Just enough of UTF-8 for a command line.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_UTF8_H_
#define HYDROPHONE_CLIENT_CPP_CLI_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace hydrophone::client {

// Whether protobuf's `string` may hold the bytes: no overlong forms, no surrogates, nothing above
// U+10FFFF.
bool IsValidUtf8(absl::string_view bytes);

// How many characters valid UTF-8 has; for the width of a table's column.
size_t CountCharacters(absl::string_view utf8);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_UTF8_H_
