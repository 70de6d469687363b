#include "client/cpp/cli/display/style.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace hydrophone::client {
namespace {

// The parameters of ECMA-48's SGR that an ink turns on; "" for none. Shades are backgrounds of the 256 colours' cube,
// under black.
absl::string_view CodesOf(Ink ink) {
  switch (ink) {
    case Ink::kHeading:
      return "1";
    case Ink::kGood:
      return "32";
    case Ink::kBad:
      return "1;31";
    case Ink::kFaint:
      return "2";
    case Ink::kShade1:
      return "30;48;5;194";
    case Ink::kShade2:
      return "30;48;5;157";
    case Ink::kShade3:
      return "30;48;5;84";
    case Ink::kPlain:
      break;
  }
  return "";
}

}  // namespace

Terminal StandardOutput() {
  Terminal terminal{::isatty(STDOUT_FILENO) == 1, kUsualColumns};
  winsize size{};
  if (terminal.is_terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.columns = size.ws_col;
  }
  return terminal;
}

Ink ShadeOf(double probability) {
  if (!(probability >= 0.25)) return Ink::kPlain;
  if (probability < 0.5) return Ink::kShade1;
  return probability < 0.75 ? Ink::kShade2 : Ink::kShade3;
}

std::string Style::Paint(Ink ink, absl::string_view text) const {
  const absl::string_view codes = CodesOf(ink);
  if (!colour || codes.empty() || text.empty()) return std::string(text);
  return absl::StrCat("\x1b[", codes, "m", text, "\x1b[0m");
}

bool UsesColour(absl::string_view option, const Terminal& terminal, const char* no_color, const char* term) {
  if (option != "auto") return option == "always";
  const bool wanted = no_color == nullptr || *no_color == '\0';
  return terminal.is_terminal && wanted && (term == nullptr || absl::string_view(term) != "dumb");
}

}  // namespace hydrophone::client
