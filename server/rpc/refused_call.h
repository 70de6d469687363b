// A call that is over before it has begun.
#ifndef HYDROPHONE_SERVER_RPC_REFUSED_CALL_H_
#define HYDROPHONE_SERVER_RPC_REFUSED_CALL_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "server/rpc/status.h"

namespace hydrophone {

// Finishes the call with `status`, and destroys itself when gRPC is done with it. `Reactor`: one of gRPC's.
template <typename Reactor>
class RefusedCall final : public Reactor {
 public:
  explicit RefusedCall(const grpc::Status& status) { this->Finish(status); }
  void OnDone() override { delete this; }
};

// The status of a call that began without its request: the client reset it, or closed its side, before it had sent any.
// It is refused before it takes a place among the open calls or in a pool, so that a storm of calls that are reset
// takes none from others.
inline grpc::Status NoRequest() {
  return ToGrpcStatus(absl::InvalidArgumentError("got a call without a request, expected one message"));
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_REFUSED_CALL_H_
