// One job's place in a running batch.
#ifndef HYDROPHONE_SERVER_SCHED_MEMBER_SINK_H_
#define HYDROPHONE_SERVER_SCHED_MEMBER_SINK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/core/engine.h"
#include "server/sched/clock.h"
#include "server/sched/job_queue.h"

namespace hydrophone {

// What all members of a running batch have in common.
struct RunningBatch {
  absl::Time start;
  int64_t tokens = 0;
  const Clock* clock = nullptr;
  const std::atomic<bool>* out_of_patience = nullptr;
};

// Stands between the engine and a job. It ties the job's lease to every capture, and stops the job at its deadline and
// when the server ends, of which the job knows nothing. It tells the job its end right after its last capture, while
// the batch may go on for other jobs, but keeps the job, whose plan the engine reads, until after the Run. Used on the
// engine's thread only; `batch` and what it points to outlive it.
class MemberSink : public CaptureSink {
 public:
  MemberSink(Admitted member, const RunningBatch* batch);

  void OnCapture(size_t index, TensorView rows) override;
  // Whether the engine need not compute for the job any more: also true once the job has been told its end.
  bool Stopped() const override;

  // Tells the job its end, unless that has happened. To be called after Engine::Run, with what that returned.
  void Finish(const absl::Status& run);

  // When the job was told its end; before that, InfiniteFuture.
  absl::Time told_at() const { return told_at_; }

 private:
  bool told() const { return told_at_ != absl::InfiniteFuture(); }
  absl::Status Outcome(const absl::Status& run) const;
  void Tell(absl::Status outcome);

  Admitted member_;  // its lease is reset once the job has been told its end
  const RunningBatch* const batch_;
  const absl::Time deadline_;
  const size_t expected_;  // captures
  size_t received_ = 0;
  absl::Time told_at_ = absl::InfiniteFuture();
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_MEMBER_SINK_H_
