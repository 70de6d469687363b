#include "server/plan/select/layers.h"

#include <cstddef>
#include <cstdint>
#include <numeric>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace hydrophone {
namespace {

std::string ExpectedLayers(int count) { return absl::StrCat("expected ", -count, " to ", count - 1); }

// The layer counted from the start; -1 when it is out of range.
int FromTheStart(int64_t layer, int count) {
  if (layer < -count || layer >= count) return -1;
  return static_cast<int>(layer < 0 ? layer + count : layer);
}

std::vector<int> AllLayers(int count) {
  std::vector<int> layers(static_cast<size_t>(count));
  std::iota(layers.begin(), layers.end(), 0);
  return layers;
}

// `path_of(i)`: the field that has the i'th.
std::vector<int> DistinctLayers(absl::Span<const int32_t> listed, int count,
                                absl::FunctionRef<std::string(size_t)> path_of, Violations* violations) {
  std::vector<int> layers;
  absl::flat_hash_set<int> seen;
  for (size_t i = 0; i < listed.size(); ++i) {
    layers.push_back(FromTheStart(listed[i], count));
    if (layers.back() < 0) {
      violations->Add(path_of(i), absl::StrCat("got ", listed[i], ", ", ExpectedLayers(count)));
    } else if (!seen.insert(layers.back()).second) {
      violations->Add(path_of(i), absl::StrCat("got layer ", layers.back(), " again, expected each layer once"));
    }
  }
  return layers;
}

}  // namespace

std::vector<int> ReadLayers(const HookName& name, const google::protobuf::RepeatedField<int32_t>& listed,
                            const LayerPaths& paths, const ModelInfo& model, Violations* violations) {
  const int count = LayerCount(*name.info, model);
  if (!listed.empty() && (count == 0 || name.layer_kind != HookName::Layer::kAbsent)) {
    violations->Add(paths.layers, count == 0 ? "got layers for a point outside the blocks, expected none"
                                             : "got layers beside the one in the name, expected none");
    return {};
  }
  if (count == 0) return {-1};
  if (name.layers.size() == 1) return {ReadLayer(name.layers[0], count, paths.name, violations)};
  if (name.layer_kind == HookName::Layer::kGiven) {
    return DistinctLayers(
        name.layers, count, [&](size_t) { return paths.name; }, violations);
  }
  if (!listed.empty()) {
    const auto path_of = [&](size_t i) { return absl::StrCat(paths.layers, "[", i, "]"); };
    return DistinctLayers(listed, count, path_of, violations);
  }
  return AllLayers(count);
}

int ReadLayer(int64_t layer, int count, const std::string& path, Violations* violations) {
  const int from_the_start = FromTheStart(layer, count);
  if (from_the_start < 0) violations->Add(path, absl::StrCat("got layer ", layer, ", ", ExpectedLayers(count)));
  return from_the_start;
}

}  // namespace hydrophone
