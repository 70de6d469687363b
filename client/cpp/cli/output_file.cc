#include "client/cpp/cli/output_file.h"

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/files/atomic_output.h"

namespace hydrophone::client {

bool IsSafetensors(const std::string& out) { return absl::EndsWith(out, ".safetensors"); }

absl::Status CheckOutputFile(const std::string& out, bool force) {
  std::error_code error;
  if (!force && std::filesystem::exists(out, error)) {
    return absl::InvalidArgumentError(absl::StrCat("--out: ", out, " is there already; --force overwrites it"));
  }
  return CheckFileCanBeMade(out);
}

}  // namespace hydrophone::client
