#include "server/checkpoint/shard_index.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/bounded_json.h"
#include "server/base/messages.h"

namespace hydrophone {
namespace {

bool IsPlainSafetensorsName(const std::string& name) {
  constexpr size_t kLongestFileName = 255;
  return absl::EndsWith(name, ".safetensors") && name[0] != '.' && name.size() <= kLongestFileName &&
         name.find_first_of(std::string("/\\\0", 3)) == std::string::npos;
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ParseShardIndex(absl::string_view json) {
  const absl::StatusOr<nlohmann::json> index = ParseBoundedJson(json);
  if (!index.ok()) return index.status();
  if (!index->is_object() || !index->contains("weight_map") || !(*index)["weight_map"].is_object()) {
    return absl::InvalidArgumentError("has no object \"weight_map\"");
  }
  std::map<std::string, std::string> shard_of;
  for (const auto& [tensor, shard] : (*index)["weight_map"].items()) {
    if (!shard.is_string() || !IsPlainSafetensorsName(shard.get_ref<const std::string&>())) {
      return absl::InvalidArgumentError(absl::StrCat("puts \"", Printable(tensor), "\" into ", Printable(shard.dump()),
                                                     ", expected a plain name that ends with .safetensors"));
    }
    shard_of[tensor] = shard.get<std::string>();
  }
  if (shard_of.empty()) return absl::InvalidArgumentError("has an empty \"weight_map\"");
  return shard_of;
}

}  // namespace hydrophone
