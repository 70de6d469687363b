#include "server/base/messages.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hydrophone {

std::string Printable(absl::string_view text) {
  constexpr size_t kLongest = 100;
  std::string printable;
  for (char c : text.substr(0, kLongest)) {
    if (absl::ascii_isprint(static_cast<unsigned char>(c))) {
      printable.push_back(c);
    } else {
      absl::StrAppend(&printable, "\\x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  if (text.size() > kLongest) absl::StrAppend(&printable, "...");
  return printable;
}

absl::Status Annotate(const absl::Status& status, absl::string_view where) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(where, ": ", status.message()));
}

std::string ShapeText(absl::Span<const int64_t> shape) {
  constexpr size_t kMostDimensions = 8;
  if (shape.size() > kMostDimensions) return absl::StrCat("[", shape.size(), " dimensions]");
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

void NamedThings::Add(std::string thing) {
  ++total_;
  if (kept_.size() < kKept) kept_.push_back(std::move(thing));
}

std::string NamedThings::Text(absl::string_view what) const {
  std::string text = absl::StrCat(total_, " ", what, ": ", absl::StrJoin(kept_, ", "));
  if (total_ > kept_.size()) absl::StrAppend(&text, ", and ", total_ - kept_.size(), " more");
  return text;
}

}  // namespace hydrophone
