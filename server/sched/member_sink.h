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

// Stands between the engine and a job: ties the job's lease to every capture, stops for what the job does not know of,
// its deadline and the server's end, and tells the job its end: after its last capture at once, while the batch goes
// on for others. Keeps the job, whose plan the engine reads, until after the Run. Used on the engine's thread only;
// what `batch` and its pointers point to outlives it.
class MemberSink : public CaptureSink {
 public:
  MemberSink(Admitted member, const RunningBatch* batch);

  void OnCapture(size_t index, TensorView rows) override;
  // Also once the job has been told its end.
  bool Stopped() const override;

  // After Engine::Run, with what it returned: tells the job its end, unless it has heard it.
  void Finish(const absl::Status& run);

  // When the job was told its end; before that, InfiniteFuture.
  absl::Time told_at() const { return told_at_; }

 private:
  bool told() const { return told_at_ != absl::InfiniteFuture(); }
  absl::Status Outcome(const absl::Status& run) const;
  void Tell(absl::Status outcome);

  Admitted member_;  // without its lease once all captures were handed over
  const RunningBatch* const batch_;
  const absl::Time deadline_;
  const size_t expected_;  // captures
  size_t received_ = 0;
  absl::Time told_at_ = absl::InfiniteFuture();
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_MEMBER_SINK_H_
