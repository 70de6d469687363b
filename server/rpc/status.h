// The one place where an absl::Status becomes what a gRPC caller sees.
#ifndef HYDROPHONE_SERVER_RPC_STATUS_H_
#define HYDROPHONE_SERVER_RPC_STATUS_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace hydrophone {

// Message and details together, in bytes. Trailers over 8 KiB reach a client as RESOURCE_EXHAUSTED with nothing in
// them; base64 adds a third to the details.
inline constexpr size_t kMaxStatusBytes = 4096;

// The same code and message with a google.rpc.Status in the binary details: ErrorInfo always (domain "hydrophone"),
// BadRequest when fields are to blame, RetryInfo when trying again may help. Statuses without a reason (see
// core/errors.h) get their code's; codes that the API does not promise become INTERNAL. Long texts are cut, between
// characters, to keep within kMaxStatusBytes.
grpc::Status ToGrpcStatus(const absl::Status& status);

// The status to call gRPC's Finish with: that of ToGrpcStatus. For RESOURCE_EXHAUSTED and UNAVAILABLE it also adds
// `grpc-retry-pushback-ms` to the trailers, which gRPC clients with a retry policy obey by themselves. To be called
// once, before Finish. Without memory for the details, RESOURCE_EXHAUSTED ("out of memory") alone.
grpc::Status FinalStatus(const absl::Status& status, grpc::CallbackServerContext* context);

// The code of ToGrpcStatus(status), and the reason that its ErrorInfo gives; empty for OK.
struct CallEnd {
  grpc::StatusCode code;
  std::string reason;
};
CallEnd EndOf(const absl::Status& status);

// The code as the grpc_server_* metrics of go-grpc-prometheus spell it, which dashboards expect: "OK",
// "InvalidArgument".
const char* CodeName(grpc::StatusCode code);

// The names of all of gRPC's codes, by their numbers.
std::vector<std::string> CodeNames();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_STATUS_H_
