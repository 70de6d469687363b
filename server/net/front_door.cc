#include "server/net/front_door.h"

#include <utility>

#include "absl/memory/memory.h"
#include "server/base/mutex.h"
#include "server/net/process_memory.h"
#include "server/net/sockets.h"

namespace hydrophone {
namespace {

constexpr absl::Duration kClosingLookEvery = absl::Milliseconds(1);  // while connections end

}  // namespace

absl::StatusOr<std::unique_ptr<FrontDoor>> FrontDoor::Open(const Address& address, int max_connections,
                                                           const Clock* clock, Connections::OnCut on_cut) {
  absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Open(address);
  if (!listener.ok()) return listener.status();
  return absl::WrapUnique(new FrontDoor(*std::move(listener), max_connections, clock, std::move(on_cut)));
}

FrontDoor::FrontDoor(std::unique_ptr<Listener> listener, int max_connections, const Clock* clock,
                     Connections::OnCut on_cut)
    : connections_(&SystemSockets(), max_connections, std::move(on_cut)),
      watchdog_(std::in_place, clock),
      clock_(clock),
      census_(&connections_, [this] { guard_->LookAtCalls(clock_->Now()); }),
      acceptor_(std::in_place, std::move(listener), &connections_, clock) {}

void FrontDoor::AddTo(grpc::ServerBuilder* builder, std::shared_ptr<grpc::ServerCredentials> credentials) {
  using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  grpc_acceptor_ = builder->experimental().AddExternalConnectionAcceptor(Type::FROM_FD, std::move(credentials));
  builder->SetContextAllocator(TellArrivals(&census_));
}

void FrontDoor::Start(grpc::Server* server, std::function<int()> open_calls, uint64_t budget_bytes) {
  heartbeat_ = HealthHeartbeat(server->InProcessChannel(grpc::ChannelArguments()));
  guard_.emplace(GuardParts{.connections = &connections_,
                            .census = &census_,
                            .heartbeat = heartbeat_.get(),
                            .memory = &SystemMemory(),
                            .open_calls = std::move(open_calls),
                            .budget_bytes = budget_bytes});
  watchdog_->Start([this](absl::Time now) { guard_->Look(now); });
  acceptor_->Start([this](int listener, int connection) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters accepted;
    accepted.listener_fd = listener;
    accepted.fd = connection;
    grpc_acceptor_->HandleNewConnection(&accepted);
  });
}

void FrontDoor::EndConnections(absl::Duration longest) {
  connections_.StopReading();
  const absl::Time deadline = clock_->Now() + longest;
  Mutex mutex;
  CondVar never;
  MutexLock lock(&mutex);
  while (!connections_.Survey().empty() && clock_->Now() < deadline) {
    clock_->WaitUntil(never, &mutex, clock_->Now() + kClosingLookEvery);
  }
}

}  // namespace hydrophone
