// Calls of methods that the server does not have.
#ifndef HYDROPHONE_SERVER_RPC_UNKNOWN_METHODS_H_
#define HYDROPHONE_SERVER_RPC_UNKNOWN_METHODS_H_

#include <grpcpp/generic/async_generic_service.h>

#include "server/access/access.h"
#include "server/rpc/open_calls.h"

namespace hydrophone {

// Ends each with UNIMPLEMENTED, naming the method, or as Access::Admit refuses it. gRPC's own refusal carries no
// details.
class UnknownMethods final : public grpc::CallbackGenericService {
 public:
  // `access` and `calls` outlive this and the calls.
  UnknownMethods(Access* access, OpenCalls* calls) : access_(access), calls_(calls) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override;

 private:
  Access* const access_;
  OpenCalls* const calls_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_UNKNOWN_METHODS_H_
