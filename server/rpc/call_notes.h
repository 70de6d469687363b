// What a call does, noted while it goes on: for its line in the log, and for the metrics of how calls end.
#ifndef HYDROPHONE_SERVER_RPC_CALL_NOTES_H_
#define HYDROPHONE_SERVER_RPC_CALL_NOTES_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/core/call_log.h"
#include "server/core/metrics.h"
#include "server/sched/job.h"

namespace hydrophone {

// Whatever works for the call holds a share: the call itself until gRPC is done with it, a job until its OnEnd. The
// line is written when the last share ends, since only then is it known how far a call came that was given up: a job
// stops between two layers, while its call has long ended.
//
// Thread-safe.
class CallNotes {
 public:
  // `begun` says what is known at the start. The pointers outlive the notes.
  CallNotes(CallRecord begun, absl::Time start, CallLog* log, Metrics* metrics);
  // Tells the log and the metrics.
  ~CallNotes();
  CallNotes(const CallNotes&) = delete;
  CallNotes& operator=(const CallNotes&) = delete;

  // The call has come to this stage.
  void Reached(CallStage stage) ABSL_LOCKS_EXCLUDED(mutex_);
  // What the request asks for; a later call replaces what an earlier one said.
  void Planned(size_t inputs, int64_t tokens) ABSL_LOCKS_EXCLUDED(mutex_);
  // Bytes of a message that came, and of one that goes.
  void Received(size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void Sent(size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  // A tensor is computed; the first one counts.
  void TensorReady(absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);
  // One of the call's jobs is over, as Job::OnEnd says.
  void JobEnded(const absl::Status& status, const JobTimings& timings) ABSL_LOCKS_EXCLUDED(mutex_);
  // The status that gRPC is told; and when it is done.
  void Finished(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  void Ended(absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const absl::Time start_;
  CallLog* const log_;
  Metrics* const metrics_;

  Mutex mutex_;
  CallRecord record_ ABSL_GUARDED_BY(mutex_);
  absl::StatusCode end_ ABSL_GUARDED_BY(mutex_) = absl::StatusCode::kUnknown;
  CallStage stage_ ABSL_GUARDED_BY(mutex_) = CallStage::kQueued;
  bool tensor_ready_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_CALL_NOTES_H_
