// Turns selectors into the plan's captures: which rows, in what order, how many bytes.
#ifndef HYDROPHONE_SERVER_PLAN_CAPTURES_CAPTURES_H_
#define HYDROPHONE_SERVER_PLAN_CAPTURES_CAPTURES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/core/errors.h"
#include "server/plan/captures/slices.h"
#include "server/plan/inputs/extract_call.h"
#include "server/plan/inputs/runs.h"
#include "server/plan/select/selectors.h"

namespace hydrophone {

// The most elements that VIEW_FLOATS sends of one tensor.
inline constexpr uint64_t kMaxFloats = 65536;

// The most positions that all captures of a request take together, counted once for each layer. It bounds the plan's
// own size where little is made of many positions.
inline constexpr uint64_t kMaxPositions = uint64_t{1} << 24;

// The most comparisons of a request; each is a capture of its own.
inline constexpr uint64_t kMaxComparisons = uint64_t{1} << 16;

// Fills in call->plan.captures, slices and capture_bytes, call->formats, tensors and data_bytes, in the layout that
// `call` has. `links`: the runs that edits join. `max_response_bytes`: the caller's own limit, 0 for none. Adds
// violations for positions, units, projections, and for what cannot be laid out as rows or compared; then, and when the
// request has others already, the captures are left out. INVALID_ARGUMENT (TOO_LARGE) when they exceed a limit.
//
// A run with a baseline makes a capture of its own, of the two runs, unless the selector has a readout.
absl::Status PlanCaptures(absl::Span<const Selector> selectors, const RunTable& runs, RunLinks links,
                          uint64_t max_response_bytes, const RequestContext& context, Violations* violations,
                          ExtractCall* call);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_CAPTURES_CAPTURES_H_
