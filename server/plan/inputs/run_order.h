// The order in which runs that read from one another are computed.
#ifndef HYDROPHONE_SERVER_PLAN_INPUTS_RUN_ORDER_H_
#define HYDROPHONE_SERVER_PLAN_INPUTS_RUN_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace hydrophone {

// One run reads from another. Places in Plan.runs.
struct RunRead {
  uint32_t reader = 0;
  uint32_t source = 0;
};

struct RunOrder {
  std::vector<uint32_t>
      runs;  // all of them, sources before their readers, otherwise as numbered; empty when there is a cycle
  std::vector<size_t>
      cycle;  // the reads that make one, each from the next one's reader, the last from the first's; or empty
};

RunOrder OrderRuns(size_t runs, absl::Span<const RunRead> reads);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_INPUTS_RUN_ORDER_H_
