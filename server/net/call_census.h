// The calls that gRPC has read from its connections: those that wait for a thread to begin them, and those that run.
#ifndef HYDROPHONE_SERVER_NET_CALL_CENSUS_H_
#define HYDROPHONE_SERVER_NET_CALL_CENSUS_H_

#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_interceptor.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "server/net/connections.h"

namespace hydrophone {

// Calls that may wait for a thread to begin them: four times as many as may be open by default. Each takes 25 KB.
inline constexpr int64_t kMostWaitingCalls = 4096;

// Thread-safe.
class CallCensus {
 public:
  // `alarm` is called when too many calls wait, on the thread that reads them: it must be quick. Both outlive this.
  CallCensus(Connections* connections, std::function<void()> alarm)
      : connections_(connections), alarm_(std::move(alarm)) {}

  // A call was read from some connection.
  void Arrived() {
    const int64_t arrived = ++arrived_;
    if (arrived - begun_ > kMostWaitingCalls && arrived % kBetweenAlarms == 0) alarm_();
  }
  // A thread began a call of this peer; it ended.
  void Begun(const std::string& peer) {
    ++begun_;
    connections_->CallBegun(peer);
  }
  void Ended(const std::string& peer) { connections_->CallEnded(peer); }

  int64_t arrived() const { return arrived_; }
  int64_t waiting() const { return arrived_ - begun_; }

 private:
  static constexpr int64_t kBetweenAlarms = 256;  // calls

  Connections* const connections_;
  const std::function<void()> alarm_;
  std::atomic<int64_t> arrived_{0};
  std::atomic<int64_t> begun_{0};
};

// What tells the census of the calls of a server. `census` outlives the server.
std::unique_ptr<grpc::ContextAllocator> TellArrivals(CallCensus* census);
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> TellBeginnings(CallCensus* census);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_NET_CALL_CENSUS_H_
