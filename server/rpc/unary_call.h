// A call with one answer: a pool's thread turns the request's bytes into the answer's.
#ifndef HYDROPHONE_SERVER_RPC_UNARY_CALL_H_
#define HYDROPHONE_SERVER_RPC_UNARY_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <functional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/access/access.h"
#include "server/core/caller.h"
#include "server/rpc/byte_buffers.h"
#include "server/rpc/call_notes.h"
#include "server/rpc/service_context.h"
#include "server/wire/request_guard.h"

namespace hydrophone {

// The largest answer, in bytes: gRPC clients refuse larger messages unless they are told otherwise.
inline constexpr size_t kMaxUnaryResponseBytes = size_t{4} << 20;

// What a handler knows of its call. Valid until the handler returns.
struct UnaryRequest {
  absl::string_view bytes;
  const Caller& caller;
  Permit* permit;
  absl::Time deadline;
  std::function<bool()> stopped;  // whether the caller left or the deadline passed; a copy may be called later
  CallNotes& notes;
};

using UnaryHandler = std::function<absl::StatusOr<grpc::ByteBuffer>(const UnaryRequest& request)>;

// gRPC's side of the call, as the generated service hands it over.
struct UnaryTransport {
  grpc::CallbackServerContext* context;
  const grpc::ByteBuffer* request;
  grpc::ByteBuffer* response;
};

// Runs `handler` on `pool` and finishes the call with what it returns. RESOURCE_EXHAUSTED when the pool is full, and
// CANCELLED or DEADLINE_EXCEEDED without running it when the call is over before its turn. `on_cancel`, if not null, is
// called when the caller leaves or the deadline passes, on gRPC's thread. `service` outlives the call.
grpc::ServerUnaryReactor* StartUnary(const ServiceContext& service, WorkerPool* pool, const char* method,
                                     UnaryTransport transport, UnaryHandler handler,
                                     std::function<void()> on_cancel = nullptr);

// Guards and parses the request, and serializes `answer(request)`, which returns a message or a StatusOr of one.
template <typename Request, typename Answer>
absl::StatusOr<grpc::ByteBuffer> AnswerMessage(absl::string_view bytes, const ServiceContext& service, Answer answer) {
  Request request;
  if (absl::Status read = ParseRequest(bytes, service.request.limits, &request); !read.ok()) return read;
  absl::StatusOr response = answer(request);
  if (!response.ok()) return response.status();
  return ToByteBuffer(*response, kMaxUnaryResponseBytes);
}

// When the call must have ended; the infinite future for a call without a deadline.
absl::Time DeadlineOf(const grpc::CallbackServerContext& context);

// Why gRPC says that a call is cancelled: DEADLINE_EXCEEDED when its deadline has passed, else CANCELLED.
absl::Status CancelledOrLate(absl::Time deadline, absl::Time now);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_UNARY_CALL_H_
