// Reads a request's interventions: which values of which runs the forward pass changes, and in what order.
#ifndef HYDROPHONE_SERVER_PLAN_EDITS_EDITS_H_
#define HYDROPHONE_SERVER_PLAN_EDITS_EDITS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "hydrophone/v1/input.pb.h"
#include "server/core/errors.h"
#include "server/core/plan.h"
#include "server/plan/inputs/extract_call.h"
#include "server/plan/inputs/runs.h"

namespace hydrophone {

// The most interventions of one run: each is compared with the ones before it.
inline constexpr int kMaxInterventions = 1024;

// The most positions, heads and features that all edits of a request list together, an intervention at several layers
// counting at each: they take at most 32 MiB of memory.
inline constexpr uint64_t kMaxEditIndices = uint64_t{1} << 22;

struct PlannedEdits {
  std::vector<Edit> edits;          // as Plan.edits
  std::vector<uint32_t> run_order;  // as Plan.run_order
};

// Interventions of runs over skipped inputs are left out with them. Adds a violation, with its path, for every field
// that is wrong, for two edits that contradict each other, and for patches that make a cycle of runs; the result is
// then meaningless. INVALID_ARGUMENT (TOO_LARGE) beyond kMaxInterventions, max_tensors_per_request edits (an
// intervention makes one at each layer), or kMaxEditIndices.
absl::StatusOr<PlannedEdits> ReadEdits(const google::protobuf::RepeatedPtrField<v1::Run>& runs,
                                       const std::vector<PlannedInput>& inputs, const RunTable& table,
                                       const RequestContext& context, Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_EDITS_EDITS_H_
