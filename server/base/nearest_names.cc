#include "server/base/nearest_names.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"

namespace hydrophone {
namespace {

// The distance, or something above `most` when it is above that. A distance is no less than the difference of the
// lengths, so for most candidates nothing has to be computed.
size_t DistanceTo(absl::string_view name, absl::string_view candidate, size_t most) {
  const bool held = name.size() >= 3 && absl::StrContains(candidate, name);
  const size_t least = std::max(name.size(), candidate.size()) - std::min(name.size(), candidate.size());
  if (least > most && !held) return least;
  const size_t distance = EditDistance(name, candidate);
  return held ? std::min<size_t>(distance, 1) : distance;
}

}  // namespace

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);  // distances of a's first i characters to each prefix of b
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::vector<std::string> NearestNames(absl::string_view name, absl::Span<const std::string> candidates, size_t limit) {
  const size_t most = std::max<size_t>(1, name.size() / 3);
  std::vector<std::pair<size_t, const std::string*>> near;
  for (const std::string& candidate : candidates) {
    const size_t distance = DistanceTo(name, candidate, most);
    if (distance <= most) near.emplace_back(distance, &candidate);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (const auto& [distance, candidate] : near) {
    if (names.size() == limit) break;
    names.push_back(*candidate);
  }
  return names;
}

}  // namespace hydrophone
