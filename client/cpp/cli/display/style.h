// How output looks on a terminal: whether it is coloured, and how wide it may be.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_STYLE_H_
#define HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_STYLE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace hydrophone::client {

// Columns of output that goes to no terminal.
inline constexpr size_t kUsualColumns = 100;

// What standard output is.
struct Terminal {
  bool is_terminal = false;
  size_t columns = kUsualColumns;
};

// The terminal that standard output is, if it is one, and its width.
Terminal StandardOutput();

// What a piece of text means.
enum class Ink : uint8_t {
  kPlain,
  kHeading,
  kGood,
  kBad,
  kFaint,
  kShade1,  // a probability, from a quarter to a half
  kShade2,  // from a half to three quarters
  kShade3,  // more
};

// The shade of a probability; plain below a quarter.
Ink ShadeOf(double probability);

struct Style {
  bool colour = false;
  size_t columns = kUsualColumns;

  // The text in the ink's colour, or as it is.
  std::string Paint(Ink ink, absl::string_view text) const;
};

// Whether to colour, by the option ("auto", "always" or "never"). "auto": on a terminal that is not "dumb" (TERM),
// unless NO_COLOR is set and not empty (https://no-color.org). null stands for a variable that is not set.
bool UsesColour(absl::string_view option, const Terminal& terminal, const char* no_color, const char* term);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_STYLE_H_
