#include "server/plan/edits/knock_outs.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "server/core/hook_points.h"

namespace hydrophone {
namespace {

std::vector<int32_t> AllBelow(int64_t count) {
  std::vector<int32_t> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

}  // namespace

template <typename Value>
bool KnockOuts::AddRow(const Row& row, const std::vector<int32_t>& keys, bool replaces, Value value) {
  const int64_t query = std::get<2>(row);
  auto found = knocked_out_.find(row);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] > query) continue;  // masked: the value is not used
    const bool out = std::isinf(value(i));
    if (found == knocked_out_.end()) {
      if (!out) continue;
      found = knocked_out_.emplace(row, std::vector<bool>(static_cast<size_t>(query) + 1, false)).first;
    }
    if (out || replaces) found->second[static_cast<size_t>(keys[i])] = out;
  }
  return found == knocked_out_.end() ||
         std::find(found->second.begin(), found->second.end(), false) != found->second.end();
}

std::string KnockOuts::Add(const EditTarget& target, const EditValues& values, bool replaces) {
  const std::vector<float>& elements = *values.elements;
  const bool any = std::any_of(elements.begin(), elements.end(), [](float value) { return std::isinf(value); });
  if (!any && (!replaces || knocked_out_.empty())) return "";  // no key goes, and none comes back
  const std::vector<int32_t> heads =
      target.units.heads.empty() ? AllBelow(HeadCount(*target.info, model_)) : target.units.heads;
  const std::vector<int32_t> keys = target.units.features.empty() ? AllBelow(target.run.length) : target.units.features;
  for (const int layer : target.layers) {
    for (size_t h = 0; h < heads.size(); ++h) {
      for (size_t p = 0; p < target.positions.size(); ++p) {
        const int64_t start = static_cast<int64_t>(p) * values.strides[0] + static_cast<int64_t>(h) * values.strides[1];
        const auto value = [&](size_t i) {
          return elements[static_cast<size_t>(start + static_cast<int64_t>(i) * values.strides[2])];
        };
        if (AddRow({layer, heads[h], target.positions[p]}, keys, replaces, value)) continue;
        return absl::StrCat("query ", target.positions[p], " of head ", heads[h], " at layer ", layer);
      }
    }
  }
  return "";
}

}  // namespace hydrophone
