// The caller of a call.
#ifndef HYDROPHONE_SERVER_RPC_CALLER_OF_H_
#define HYDROPHONE_SERVER_RPC_CALLER_OF_H_

#include <grpcpp/server_context.h>

#include "server/core/caller.h"

namespace hydrophone {

// The call's peer, with weight 1.
Caller CallerOf(const grpc::CallbackServerContext& context);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_CALLER_OF_H_
