#include "tests/fakes/violation_lines.h"

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

std::vector<std::string> Joined(const std::vector<Violation>& violations) {
  std::vector<std::string> lines;
  for (const Violation& violation : violations) {
    lines.push_back(absl::StrCat(violation.field, ": ", violation.description));
  }
  return lines;
}

}  // namespace

std::vector<std::string> Lines(const Violations& violations) { return Joined(violations.kept()); }
std::vector<std::string> Lines(const absl::Status& status) { return Joined(ViolationsOf(status)); }

}  // namespace hydrophone
