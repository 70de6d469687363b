#include "client/cpp/files/json_file.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "client/cpp/files/atomic_output.h"
#include "server/base/bounded_json.h"
#include "server/base/read_file.h"

namespace hydrophone::client {
namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 30;

}  // namespace

absl::Status WriteJsonFile(const std::string& path, const nlohmann::json& value) {
  auto output = AtomicFile::CreateAlone(path);
  if (!output.ok()) return output.status();
  const std::string text = value.dump(1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
  if (absl::Status status = (*output)->file().Write(text); !status.ok()) return status;
  return (*output)->Commit();
}

absl::StatusOr<nlohmann::json> ReadJsonFile(const std::string& path) {
  const auto text = ReadWholeFile(path, kMostBytes);
  if (!text.ok()) return absl::InvalidArgumentError(absl::StrCat(path, " ", text.status().message()));
  auto value = ParseBoundedJson(*text);
  if (!value.ok()) return absl::InvalidArgumentError(absl::StrCat(path, " ", value.status().message()));
  if (!value->is_object()) return absl::InvalidArgumentError(absl::StrCat(path, " holds no JSON object"));
  return value;
}

}  // namespace hydrophone::client
