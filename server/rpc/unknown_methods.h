// Calls of methods that the server does not have.
#ifndef HYDROPHONE_SERVER_RPC_UNKNOWN_METHODS_H_
#define HYDROPHONE_SERVER_RPC_UNKNOWN_METHODS_H_

#include <grpcpp/generic/async_generic_service.h>

#include "server/rpc/open_calls.h"

namespace hydrophone {

// Ends each with UNIMPLEMENTED, naming the method. gRPC's own refusal carries no details.
class UnknownMethods final : public grpc::CallbackGenericService {
 public:
  // `calls` outlives this and the calls.
  explicit UnknownMethods(OpenCalls* calls) : calls_(calls) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override;

 private:
  OpenCalls* const calls_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_UNKNOWN_METHODS_H_
