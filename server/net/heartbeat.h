// Whether gRPC's threads still answer: a call of the server to itself, again and again.
#ifndef HYDROPHONE_SERVER_NET_HEARTBEAT_H_
#define HYDROPHONE_SERVER_NET_HEARTBEAT_H_

#include <grpcpp/channel.h>

#include <memory>

#include "absl/time/time.h"

namespace hydrophone {

class Heartbeat {
 public:
  virtual ~Heartbeat() = default;

  // Begins a call unless one is under way or began a moment ago. Returns for how long the one under way has gone
  // without an answer; zero when none is.
  virtual absl::Duration Silence(absl::Time now) = 0;
};

// Asks grpc.health.v1 over `channel`. A call does not pass a connection, so it waits for gRPC's threads alone.
std::unique_ptr<Heartbeat> HealthHeartbeat(std::shared_ptr<grpc::Channel> channel);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_NET_HEARTBEAT_H_
