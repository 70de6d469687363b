// Captured arrays, found by hook point.
#ifndef HYDROPHONE_SERVER_VERIFY_CAPTURED_RUN_H_
#define HYDROPHONE_SERVER_VERIFY_CAPTURED_RUN_H_

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "server/core/hook_points.h"

namespace hydrophone {

// What one pass over a set of sequences gave: arrays [tokens of all sequences, d], sequence after sequence. Owns them.
class CapturedRun {
 public:
  // `skipped` values at the front of `values` are not part of the array (rows of a sequence that nobody asked for).
  void Put(HookPoint point, std::vector<float> values, size_t skipped = 0) {
    arrays_[{point.site, point.layer}] = {std::move(values), skipped};
  }

  bool Has(HookPoint point) const { return arrays_.count({point.site, point.layer}) != 0; }

  // The array; empty when there is none.
  absl::Span<const float> Get(HookPoint point) const {
    auto found = arrays_.find({point.site, point.layer});
    if (found == arrays_.end()) return {};
    return absl::MakeConstSpan(found->second.values).subspan(found->second.skipped);
  }

  // Every point that has an array.
  std::vector<HookPoint> Points() const {
    std::vector<HookPoint> points;
    for (const auto& [key, array] : arrays_) points.push_back({key.first, key.second});
    return points;
  }

 private:
  struct Array {
    std::vector<float> values;
    size_t skipped = 0;
  };
  std::map<std::pair<Site, int>, Array> arrays_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_CAPTURED_RUN_H_
