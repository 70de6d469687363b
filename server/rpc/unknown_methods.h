// Calls of methods that the server does not have.
#ifndef HYDROPHONE_SERVER_RPC_UNKNOWN_METHODS_H_
#define HYDROPHONE_SERVER_RPC_UNKNOWN_METHODS_H_

#include <grpcpp/generic/async_generic_service.h>

namespace hydrophone {

// Ends each with UNIMPLEMENTED, naming the method. gRPC's own refusal carries no details.
class UnknownMethods final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_UNKNOWN_METHODS_H_
