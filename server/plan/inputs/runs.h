// Reads a request's runs: which forward passes to make, over which inputs.
#ifndef HYDROPHONE_SERVER_PLAN_INPUTS_RUNS_H_
#define HYDROPHONE_SERVER_PLAN_INPUTS_RUNS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "hydrophone/v1/input.pb.h"
#include "server/core/errors.h"
#include "server/core/plan.h"
#include "server/plan/inputs/extract_call.h"

namespace hydrophone {

// The runs as the request numbers them, and the runs that are made: a run over a skipped input is not.
struct RunTable {
  std::vector<int64_t> lengths;      // by the request's number: tokens, or kNoRun
  std::vector<uint32_t> made_index;  // by the request's number: place in `made`; 0 where there is none

  std::vector<PlannedRun> made;
  std::vector<uint32_t> numbers;     // the request's number of each of `made`
  std::vector<int64_t> first_token;  // as in Plan

  // For each of `made`, the place in `made` of the run that it is compared with; most have none.
  std::vector<std::optional<uint32_t>> baseline;
};

// Without any `runs`, each input is a run. Adds violations for indices of inputs and baselines.
// INVALID_ARGUMENT (TOO_LARGE) when they have more tokens than the limit allows.
absl::StatusOr<RunTable> ReadRuns(const google::protobuf::RepeatedPtrField<v1::Run>& runs,
                                  const std::vector<PlannedInput>& inputs, const Limits& limits,
                                  Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_INPUTS_RUNS_H_
