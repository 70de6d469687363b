// How wide texts are on a terminal.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_DISPLAY_WIDTH_H_
#define HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_DISPLAY_WIDTH_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace hydrophone::client {

// The columns that UTF-8 without control characters takes: two for East Asian wide characters and emoji (Unicode's
// EastAsianWidth.txt, W and F), none for combining marks, one for others. By blocks, without a locale.
size_t DisplayWidth(absl::string_view utf8);

// The text, or the beginning of it with "…" after it when it is wider than `width` columns, of which there is at least
// one.
std::string FitToWidth(absl::string_view utf8, size_t width);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_DISPLAY_WIDTH_H_
