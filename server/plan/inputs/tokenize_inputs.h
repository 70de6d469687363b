// Reads a TokenizeRequest.
#ifndef HYDROPHONE_SERVER_PLAN_INPUTS_TOKENIZE_INPUTS_H_
#define HYDROPHONE_SERVER_PLAN_INPUTS_TOKENIZE_INPUTS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "hydrophone/v1/tokenize.pb.h"
#include "server/plan/inputs/extract_call.h"

namespace hydrophone {

// The request's inputs with their tokens, which may be more than the model's context. INVALID_ARGUMENT with the path of
// each bad input, or with reason TOO_LARGE when there are more inputs than the limits allow, or more tokens in all than
// max_request_elements. Thread-safe.
absl::StatusOr<std::vector<PlannedInput>> ReadTokenizeInputs(const v1::TokenizeRequest& request,
                                                             const RequestContext& context);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_INPUTS_TOKENIZE_INPUTS_H_
