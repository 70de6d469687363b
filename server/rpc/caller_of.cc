#include "server/rpc/caller_of.h"

namespace hydrophone {

Caller CallerOf(const grpc::CallbackServerContext& context) { return {.name = context.peer()}; }

}  // namespace hydrophone
