// Captured arrays, found by hook point.
#ifndef HYDROPHONE_SERVER_VERIFY_CAPTURED_RUN_H_
#define HYDROPHONE_SERVER_VERIFY_CAPTURED_RUN_H_

#include <map>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "server/core/hook_points.h"

namespace hydrophone {

// What one pass over a set of sequences gave: arrays that hold the sequences' values one after another, each in its
// point's shape: [tokens, ...], or [H, tokens, tokens]. Owns them.
class CapturedRun {
 public:
  void Put(HookPoint point, std::vector<float> values) { arrays_[{point.site, point.layer}] = std::move(values); }

  // The array; empty when there is none.
  absl::Span<const float> Get(HookPoint point) const {
    auto found = arrays_.find({point.site, point.layer});
    if (found == arrays_.end()) return {};
    return found->second;
  }

 private:
  std::map<std::pair<Site, int>, std::vector<float>> arrays_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_CAPTURED_RUN_H_
