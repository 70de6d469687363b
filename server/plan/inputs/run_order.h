// The order in which runs that read from one another are computed.
#ifndef HYDROPHONE_SERVER_PLAN_INPUTS_RUN_ORDER_H_
#define HYDROPHONE_SERVER_PLAN_INPUTS_RUN_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace hydrophone {

// One run reads from another; both are places in Plan.runs.
struct RunRead {
  uint32_t reader = 0;
  uint32_t source = 0;
};

struct RunOrder {
  // All runs, sources before their readers, otherwise as numbered; empty when the reads make a cycle.
  std::vector<uint32_t> runs;
  // The reads that make a cycle: the source of each is the reader of the next, the last one's source the first one's
  // reader. Empty when there is no cycle.
  std::vector<size_t> cycle;
};

RunOrder OrderRuns(size_t runs, absl::Span<const RunRead> reads);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_INPUTS_RUN_ORDER_H_
