// Where connections come in: the listening sockets, what is known of the connections, and what guards the server.
//
// clang-format off
//   Listener ─► Acceptor ──descriptor──► gRPC ──arrived, begun, ended──► CallCensus
//                  │                                                        │ counts by peer
//                  ▼                                                        │
//             Connections ◄──Survey, Cut── Guard ◄──────────alarm───────────┘
//                                           │  ▲
//               Heartbeat, ProcessMemory ◄──┘  └──looks── Watchdog
// clang-format on
#ifndef HYDROPHONE_SERVER_NET_FRONT_DOOR_H_
#define HYDROPHONE_SERVER_NET_FRONT_DOOR_H_

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/address.h"
#include "server/net/acceptor.h"
#include "server/net/call_census.h"
#include "server/net/connections.h"
#include "server/net/guard.h"
#include "server/net/heartbeat.h"
#include "server/net/watchdog.h"
#include "server/sched/clock.h"

namespace hydrophone {

class FrontDoor {
 public:
  // Listens; connections wait until Start. UNAVAILABLE as Listener::Open. `clock` outlives this; `on_cut` as
  // Connections has it.
  static absl::StatusOr<std::unique_ptr<FrontDoor>> Open(const Address& address, int max_connections,
                                                         const Clock* clock, Connections::OnCut on_cut);
  ~FrontDoor() = default;

  int port() const { return acceptor_->port(); }

  // Makes the server that is built take connections from here. Its interceptors are the builder's to set: they must
  // contain TellBeginnings(census()).
  void AddTo(grpc::ServerBuilder* builder, std::shared_ptr<grpc::ServerCredentials> credentials);
  CallCensus* census() { return &census_; }

  // Lets connections in, and guards the server. To be called once, with the server that was built. `open_calls` and
  // `budget_bytes` as GuardParts has them.
  void Start(grpc::Server* server, std::function<int()> open_calls, uint64_t budget_bytes);

  // Lets no more connections in, and stops listening. To be called before the server is shut down: gRPC crashes in a
  // call of the server to itself that begins afterwards. Too many calls still cut their connection.
  void Close() {
    acceptor_.reset();
    watchdog_.reset();
    heartbeat_.reset();
  }

  // Ends all connections, and waits until gRPC has closed them, but not longer than `longest`: one of which the client
  // does not read stays open. To be called between Close and the server's shutdown: see Connections::StopReading. gRPC
  // would end a call that arrives while it shuts down with CANCELLED and no message, which clients do not try
  // elsewhere.
  void EndConnections(absl::Duration longest);

 private:
  FrontDoor(std::unique_ptr<Listener> listener, int max_connections, const Clock* clock, Connections::OnCut on_cut);

  Connections connections_;
  std::unique_ptr<Heartbeat> heartbeat_;
  std::optional<Guard> guard_;
  std::optional<Watchdog> watchdog_;
  const Clock* const clock_;
  CallCensus census_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> grpc_acceptor_;
  std::optional<Acceptor> acceptor_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_NET_FRONT_DOOR_H_
