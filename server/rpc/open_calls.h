// The calls that are open: counted for the metrics, and waited for when the server ends.
#ifndef HYDROPHONE_SERVER_RPC_OPEN_CALLS_H_
#define HYDROPHONE_SERVER_RPC_OPEN_CALLS_H_

#include <grpcpp/support/status.h>

#include <atomic>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/core/metrics.h"
#include "server/sched/clock.h"

namespace hydrophone {

// Thread-safe.
class OpenCalls {
 public:
  // Calls over `max_open` are refused. The pointers outlive this.
  OpenCalls(int max_open, Metrics* metrics, const Clock* clock);

  // One call, from the arrival of its request until gRPC has nothing more to do for it.
  class Call {
   public:
    // `method` is a literal.
    Call(OpenCalls* calls, const char* method);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    // OK; RESOURCE_EXHAUSTED (OVERLOADED) when too many others are open; UNAVAILABLE (DRAINING) once the server stops.
    const absl::Status& admitted() const { return admitted_; }

    // Counts a message of `bytes` bytes that is handed to gRPC.
    void Sent(size_t bytes);
    // Notes the code that the call is finished with, for the metrics.
    void Finished(grpc::StatusCode code) { code_ = code; }

   private:
    OpenCalls* const calls_;
    const char* const method_;
    const absl::Time start_;
    const absl::Status admitted_;
    std::atomic<grpc::StatusCode> code_ = grpc::StatusCode::UNKNOWN;
  };

  // Waits until `time`, and from then on new calls are refused.
  void RefuseFrom(absl::Time time) ABSL_LOCKS_EXCLUDED(mutex_);

  // From now on, calls that ask whether to go on are told not to.
  void CutOff() { cut_off_ = true; }
  bool cut_off() const { return cut_off_; }

  // Waits until no call is open, at most until `deadline`; returns whether none is.
  bool AwaitNone(absl::Time deadline) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Status Enter() ABSL_LOCKS_EXCLUDED(mutex_);
  void Leave() ABSL_LOCKS_EXCLUDED(mutex_);

  const int max_open_;
  Metrics* const metrics_;
  const Clock* const clock_;
  Mutex mutex_;
  CondVar changed_;
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
  bool refusing_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> cut_off_ = false;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_OPEN_CALLS_H_
