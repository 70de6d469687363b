// The calls that are open: counted for the metrics, noted for the log, and waited for when the server ends.
#ifndef HYDROPHONE_SERVER_RPC_OPEN_CALLS_H_
#define HYDROPHONE_SERVER_RPC_OPEN_CALLS_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/core/call_log.h"
#include "server/core/caller.h"
#include "server/core/metrics.h"
#include "server/rpc/call_notes.h"
#include "server/sched/clock.h"

namespace hydrophone {

// A message that waits longer than this for its caller to read counts as stalled.
inline constexpr absl::Duration kStalledWrite = absl::Seconds(1);

// Thread-safe.
class OpenCalls {
 public:
  // Calls over `max_open` are refused. The pointers outlive this.
  OpenCalls(int max_open, Metrics* metrics, CallLog* log, const Clock* clock);

  // One call, from the arrival of its request until gRPC has nothing more to do for it.
  class Call {
   public:
    // Reads the call's trace headers, and promises them to its trailers. `context` is only used in here.
    Call(OpenCalls* calls, absl::string_view method, const Caller& caller, grpc::CallbackServerContext* context);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    // OK; RESOURCE_EXHAUSTED (OVERLOADED) when too many others are open; UNAVAILABLE (DRAINING) once the server stops.
    const absl::Status& admitted() const { return admitted_; }

    // Counts a message of `bytes` bytes that came, and one that is handed to gRPC.
    void Received(size_t bytes);
    void Sent(size_t bytes);
    // gRPC took a message `elapsed` after it had been handed over.
    void Written(absl::Duration elapsed);
    // Notes the status that the call is finished with.
    void Finished(const absl::Status& status);

    // To be shared with what may work for the call after its end.
    const std::shared_ptr<CallNotes>& notes() const { return notes_; }

   private:
    OpenCalls* const calls_;
    const std::string method_;
    const absl::Time start_;
    std::shared_ptr<CallNotes> notes_;
    const absl::Status admitted_;
    std::atomic<grpc::StatusCode> code_ = grpc::StatusCode::UNKNOWN;
  };

  // How many calls are open.
  int open() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until `time`, and from then on new calls are refused.
  void RefuseFrom(absl::Time time) ABSL_LOCKS_EXCLUDED(mutex_);

  // From now on, calls that ask whether to go on are told not to.
  void CutOff() { cut_off_ = true; }
  bool cut_off() const { return cut_off_; }

  // Waits until no call is open, at most until `deadline`; returns whether none is.
  bool AwaitNone(absl::Time deadline) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  std::shared_ptr<CallNotes> NewNotes(absl::string_view method, absl::Time start, const Caller& caller,
                                      grpc::CallbackServerContext* context) const;
  absl::Status Enter() ABSL_LOCKS_EXCLUDED(mutex_);
  void Leave() ABSL_LOCKS_EXCLUDED(mutex_);

  const int max_open_;
  Metrics* const metrics_;
  CallLog* const log_;
  const Clock* const clock_;
  mutable Mutex mutex_;
  CondVar changed_;
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
  bool refusing_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> cut_off_ = false;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_OPEN_CALLS_H_
