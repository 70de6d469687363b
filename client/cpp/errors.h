// What went wrong, for callers: gRPC's status and its google.rpc details as one absl::Status.
//
// The message of a status is made for people. What programs ask for (the reason, the fields, when
// to try again) stays attached to it and is read back with the functions below; statuses from
// elsewhere simply have none of it.
#ifndef HYDROPHONE_CLIENT_CPP_ERRORS_H_
#define HYDROPHONE_CLIENT_CPP_ERRORS_H_

#include <cstdint>
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

// Adds to N in each violation's "inputs[N]" and "runs[N]": a request that was a part of a larger one, told in the
// larger one's terms.
absl::Status ShiftIndices(const absl::Status& status, uint32_t first_input, uint32_t first_run);

// Several lines for a terminal: code and message, a line for each field, and the advice to retry.
std::string Describe(const absl::Status& status);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_ERRORS_H_
