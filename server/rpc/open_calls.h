// Which calls are open: counted for metrics, and waited for at the end.
#ifndef HYDROPHONE_SERVER_RPC_OPEN_CALLS_H_
#define HYDROPHONE_SERVER_RPC_OPEN_CALLS_H_

#include <grpcpp/support/status.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/core/metrics.h"
#include "server/sched/clock.h"

namespace hydrophone {

// Thread-safe.
class OpenCalls {
 public:
  // Calls over `max_open` are refused. What the pointers name outlives this.
  OpenCalls(int max_open, Metrics* metrics, const Clock* clock);

  // One call, from when its request is there until gRPC has nothing more to do for it.
  class Call {
   public:
    // `method` is a literal.
    Call(OpenCalls* calls, const char* method);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    // OK; RESOURCE_EXHAUSTED (OVERLOADED) when too many others are open; UNAVAILABLE (DRAINING) once the server stops.
    const absl::Status& admitted() const { return admitted_; }

    void Sent(size_t bytes);
    // What it was finished with.
    void Finished(grpc::StatusCode code) { code_ = code; }

   private:
    OpenCalls* const calls_;
    const char* const method_;
    const absl::Time start_;
    const absl::Status admitted_;
    std::atomic<grpc::StatusCode> code_ = grpc::StatusCode::UNKNOWN;
  };

  // From now on, new calls are refused.
  void Refuse();

  // Waits until no call is open, or until `deadline`; whether none is.
  bool AwaitNone(absl::Time deadline);

 private:
  absl::Status Enter();
  void Leave();

  const int max_open_;
  Metrics* const metrics_;
  const Clock* const clock_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  int open_ = 0;
  bool refusing_ = false;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_OPEN_CALLS_H_
