// Cuts a request's runs into slices, which are computed one after another.
#ifndef HYDROPHONE_SERVER_PLAN_CAPTURES_SLICES_H_
#define HYDROPHONE_SERVER_PLAN_CAPTURES_SLICES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "server/core/limits.h"
#include "server/core/plan.h"

namespace hydrophone {

// Which runs must be computed in the same slice: a patch and its source, a run and its baseline. Runs that lie between
// two joined ones are joined with them, so that a slice is always a piece of the list of runs.
class RunLinks {
 public:
  explicit RunLinks(size_t runs) : reach_(runs) {}

  void Join(uint32_t a, uint32_t b);
  void JoinAll(absl::Span<const uint32_t> runs);

  // Whether a slice may end before each run; true for the first one.
  std::vector<bool> Cuts() const;

 private:
  std::vector<uint32_t> reach_;  // for each run, the last run that a link leads to from it; 0: none further on
};

// The slices, with their runs, rows and capture_bytes; the captures are left to the caller. A slice takes runs from the
// front until it has limits.slice_tokens rows, max_batch_tokens tokens or slice_bytes captured bytes, or ends earlier
// where the next joined runs would exceed one of these; joined runs that exceed them alone are a slice of their own. So
// the slices depend on the request and the limits alone, and not on the server's load.
//
// Rows are counted as a batch computes them: a beginning that runs of a slice have in common counts once.
// bytes[i]: what is captured of run i.
std::vector<PlanSlice> CutIntoSlices(absl::Span<const PlannedRun> runs, absl::Span<const uint64_t> bytes,
                                     const RunLinks& links, const Limits& limits);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_CAPTURES_SLICES_H_
