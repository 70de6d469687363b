// Errors as callers see them: gRPC's status and its google.rpc details as one absl::Status.
//
// The message of a status is made for people. The facts that programs need (the reason, the fields, when to try again)
// stay attached to the status, and the functions below read them back; statuses from elsewhere have none of them.
#ifndef HYDROPHONE_CLIENT_CPP_ERRORS_H_
#define HYDROPHONE_CLIENT_CPP_ERRORS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"

namespace hydrophone::client {

// One field of a request that the server refused: "inputs[2].token_ids[7]", "got 60000, expected an
// id below 50257".
struct FieldViolation {
  std::string field;
  std::string description;
};

// The same code, the server's message, and its details (BadRequest, RetryInfo, ErrorInfo) attached.
absl::Status FromGrpcStatus(const grpc::Status& status);

// ErrorInfo's reason: "BAD_REQUEST", "TOO_LARGE", ...; "" when there is none.
std::string ReasonOf(const absl::Status& status);

// BadRequest's fields; empty when there are none.
std::vector<FieldViolation> ViolationsOf(const absl::Status& status);

// RetryInfo's delay: the same request may succeed after it.
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);

// The same error with other violations, in its details and, where the message begins with the first one, in the
// message. Those that become alike are kept, and counted, once. A status without violations is given back as it is.
absl::Status MapViolations(const absl::Status& status, const std::function<FieldViolation(const FieldViolation&)>& map);

// A text with the part's numbers added to: N in "inputs[N]", "runs[N]" and "run N" outside of quotation marks.
std::string ShiftedText(absl::string_view text, uint32_t first_input, uint32_t first_run);

// Shifts the text of each violation, so that the error of a request that is a part of a larger
// one speaks of the larger one.
absl::Status ShiftIndices(const absl::Status& status, uint32_t first_input, uint32_t first_run);

// Several lines for a terminal: code and message, a line for each field, and the advice to retry.
std::string Describe(const absl::Status& status);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_ERRORS_H_
