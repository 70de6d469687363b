// Finds what belongs to a hook point in a list that is sorted by ForwardOrder.
#ifndef HYDROPHONE_SERVER_MODEL_BATCH_BY_ORDER_H_
#define HYDROPHONE_SERVER_MODEL_BATCH_BY_ORDER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace hydrophone {

// The entries whose `order` (a ForwardOrder) equals this one. REQUIRES: `entries` ascend by `order`.
template <typename Entry>
absl::Span<const Entry> EntriesAt(const std::vector<Entry>& entries, int64_t order) {
  struct ByOrder {
    bool operator()(const Entry& entry, int64_t value) const { return entry.order < value; }
    bool operator()(int64_t value, const Entry& entry) const { return value < entry.order; }
  };
  const auto range = std::equal_range(entries.begin(), entries.end(), order, ByOrder());
  return absl::MakeConstSpan(entries).subspan(static_cast<size_t>(range.first - entries.begin()),
                                              static_cast<size_t>(range.second - range.first));
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_BATCH_BY_ORDER_H_
