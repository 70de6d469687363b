// A call that is over before it has begun.
#ifndef HYDROPHONE_SERVER_RPC_REFUSED_CALL_H_
#define HYDROPHONE_SERVER_RPC_REFUSED_CALL_H_

#include <grpcpp/support/status.h>

namespace hydrophone {

// Finishes the call with `status`, and destroys itself when gRPC is done with it. `Reactor`: one of gRPC's.
template <typename Reactor>
class RefusedCall final : public Reactor {
 public:
  explicit RefusedCall(const grpc::Status& status) { this->Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_REFUSED_CALL_H_
