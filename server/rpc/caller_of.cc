#include "server/rpc/caller_of.h"

#include <string>
#include <vector>

namespace hydrophone {

CallPermit PermitOf(const grpc::ServerContextBase& context, Access* access, Role role) {
  std::vector<absl::string_view> authorization;
  const auto [begin, end] = context.client_metadata().equal_range("authorization");
  for (auto each = begin; each != end; ++each) authorization.emplace_back(each->second.data(), each->second.size());
  return access->Admit(authorization, context.peer(), role);
}

Caller CallerOf(const CallPermit& permit, const grpc::ServerContextBase& context) {
  return permit.ok() ? (*permit)->caller() : Caller{.name = context.peer()};
}

}  // namespace hydrophone
