#include "server/container/memory_limit.h"

#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

// The number that a file begins with; nullopt for no number ("max").
std::optional<uint64_t> NumberIn(const std::string& file) {
  std::string text;
  uint64_t number = 0;
  if (!(std::ifstream(file) >> text) || !absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

// MemTotal, which meminfo gives in units of 1024 bytes.
std::optional<uint64_t> MachineBytes(const std::string& meminfo) {
  std::ifstream lines(meminfo);
  std::string name;
  uint64_t kibibytes = 0;
  for (std::string rest; lines >> name; std::getline(lines, rest)) {
    if (name == "MemTotal:" && lines >> kibibytes) return kibibytes * 1024;
  }
  return std::nullopt;
}

void Lower(std::optional<uint64_t> bytes, std::string file, std::optional<MemoryLimit>& limit) {
  if (!bytes.has_value() || (limit.has_value() && limit->bytes <= *bytes)) return;
  limit = MemoryLimit{*bytes, std::move(file)};
}

}  // namespace

std::optional<MemoryLimit> FindMemoryLimit(const SystemFiles& files) {
  std::optional<MemoryLimit> limit;
  const std::string meminfo = absl::StrCat(files.proc, "/meminfo");
  Lower(MachineBytes(meminfo), meminfo, limit);
  for (const std::string& directory : ControlGroups(files, "memory")) {
    for (const char* name : {"memory.max", "memory.limit_in_bytes"}) {
      const std::string file = absl::StrCat(directory, "/", name);
      Lower(NumberIn(file), file, limit);
    }
  }
  return limit;
}

}  // namespace hydrophone
