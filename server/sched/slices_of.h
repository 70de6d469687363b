// The slices of a plan, of which a plan that lists none is one.
#ifndef HYDROPHONE_SERVER_SCHED_SLICES_OF_H_
#define HYDROPHONE_SERVER_SCHED_SLICES_OF_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "server/core/plan.h"

namespace hydrophone {

inline size_t SliceCount(const Plan& plan) { return std::max<size_t>(plan.slices.size(), 1); }

inline PlanSlice SliceAt(const Plan& plan, size_t number) {
  if (!plan.slices.empty()) return plan.slices[number];
  return {.first_run = 0,
          .end_run = static_cast<uint32_t>(plan.runs.size()),
          .first_capture = 0,
          .end_capture = plan.captures.size(),
          .rows = plan.tokens(),
          .capture_bytes = plan.capture_bytes};
}

inline int64_t TokensOf(const PlanSlice& slice, const Plan& plan) {
  return plan.first_token.empty() ? 0 : plan.first_token[slice.end_run] - plan.first_token[slice.first_run];
}

// What a slice costs in a caller's turn: something, also where nothing is computed.
inline int64_t CostOf(const PlanSlice& slice) { return std::max<int64_t>(slice.rows, 1); }

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_SLICES_OF_H_
