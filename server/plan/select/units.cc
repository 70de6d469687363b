#include "server/plan/select/units.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "server/plan/inputs/positions.h"

namespace hydrophone {
namespace {

// The indices that are allowed: below `count`, and when `from_the_end`, down to -count.
struct Range {
  int64_t count = 0;
  bool from_the_end = true;
};

std::string OutOfRange(int64_t index, const Range& range) {
  if (range.from_the_end) return absl::StrCat("got ", index, ", expected ", -range.count, " to ", range.count - 1);
  return absl::StrCat("got ", index, ", expected 0 to ", range.count - 1,
                      ": the runs have different lengths, and their keys no common end");
}

std::vector<int32_t> ReadIndices(absl::Span<const int32_t> listed, absl::string_view path, const Range& range,
                                 Violations* violations) {
  std::vector<int32_t> indices;
  absl::flat_hash_set<int64_t> seen;
  for (size_t i = 0; i < listed.size(); ++i) {
    const int64_t asked = listed[i];
    const int64_t index = asked < 0 && range.from_the_end ? asked + range.count : asked;
    const std::string here = absl::StrCat(path, "[", i, "]");
    if (index < 0 || index >= range.count) {
      violations->Add(here, OutOfRange(asked, range));
    } else if (!seen.insert(index).second) {
      violations->Add(here, absl::StrCat("got ", index, " again, expected each once"));
    }
    indices.push_back(static_cast<int32_t>(index));
  }
  return indices;
}

// The range of keys in runs of these lengths; nullopt when no run is made.
std::optional<Range> KeysOf(absl::Span<const int64_t> lengths) {
  int64_t shortest = std::numeric_limits<int64_t>::max();
  int64_t longest = kNoRun;
  for (int64_t length : lengths) {
    if (length == kNoRun) continue;
    shortest = std::min(shortest, length);
    longest = std::max(longest, length);
  }
  if (longest == kNoRun) return std::nullopt;
  return Range{shortest, shortest == longest};
}

std::optional<Range> FeaturesOf(const HookPointInfo& info, absl::Span<const int64_t> lengths, const ModelInfo& model) {
  if (info.square()) return KeysOf(lengths);
  return Range{FeatureCount(info, model), true};
}

}  // namespace

Units ReadUnits(const v1::Units& units, absl::string_view path, const HookPointInfo& info,
                absl::Span<const int64_t> lengths, const ModelInfo& model, Violations* violations) {
  Units read;
  if (units.heads_size() + units.features_size() == 0) {
    violations->Add(std::string(path), "got no heads and no features, expected at least one of them");
  }
  const std::string heads = absl::StrCat(path, ".heads");
  if (units.heads_size() > 0 && !info.has_heads()) {
    violations->Add(heads, absl::StrCat("got heads of ", info.name, ", which has none; expected no heads"));
  } else {
    read.heads = ReadIndices(units.heads(), heads, {HeadCount(info, model), true}, violations);
  }
  if (std::optional<Range> range = FeaturesOf(info, lengths, model)) {
    read.features = ReadIndices(units.features(), absl::StrCat(path, ".features"), *range, violations);
  }
  return read;
}

}  // namespace hydrophone
