// Reads a request's inputs: Extract's, Verify's and Tokenize's alike.
#ifndef HYDROPHONE_SERVER_PLAN_INPUTS_INPUTS_H_
#define HYDROPHONE_SERVER_PLAN_INPUTS_INPUTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "hydrophone/v1/input.pb.h"
#include "server/core/errors.h"
#include "server/plan/inputs/extract_call.h"

namespace hydrophone {

struct InputRules {
  bool limit_to_context = true;  // refuse inputs longer than the model's context; Tokenize does not
  bool skip_bad = false;         // what is wrong with an input goes into PlannedInput.skipped, not the violations
  uint32_t new_tokens = 0;       // tokens that must fit into the context after each input; fewer than the context has
};

// The inputs as the server understood them, texts first. What is wrong with an input goes into `violations` (or,
// with skip_bad, into the input); such an input has no tokens. A request without any input is a
// violation too. INVALID_ARGUMENT (TOO_LARGE) when there are more inputs than the limits allow.
// Thread-safe.
absl::StatusOr<std::vector<PlannedInput>> ReadInputs(const google::protobuf::RepeatedPtrField<std::string>& texts,
                                                     const google::protobuf::RepeatedPtrField<v1::Input>& inputs,
                                                     InputRules rules, const RequestContext& context,
                                                     Violations* violations);

// A key of the caller's: adds a violation when it is longer than 256 bytes.
void CheckKey(absl::string_view key, absl::string_view path, Violations* violations);

// FAILED_PRECONDITION when the request names another model or other numerics than the loaded ones;
// empty names are any.
absl::Status CheckPreconditions(absl::string_view model, absl::string_view numerics, const RequestContext& context);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_INPUTS_INPUTS_H_
