// On whose behalf a call is made.
#ifndef HYDROPHONE_SERVER_RPC_CALLER_OF_H_
#define HYDROPHONE_SERVER_RPC_CALLER_OF_H_

#include <grpcpp/server_context.h>

#include <memory>

#include "absl/status/statusor.h"
#include "server/access/access.h"

namespace hydrophone {

using CallPermit = absl::StatusOr<std::unique_ptr<Permit>>;

// The call's leave to be made by its peer and its `authorization` metadata, or why it has none: see Access::Admit.
CallPermit PermitOf(const grpc::ServerContextBase& context, Access* access, Role role = Role::kUse);

// The permit's caller; of a refused call, which goes no further, the peer.
Caller CallerOf(const CallPermit& permit, const grpc::ServerContextBase& context);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_CALLER_OF_H_
