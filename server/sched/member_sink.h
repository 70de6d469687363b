// A slice of a job in a running batch.
#ifndef HYDROPHONE_SERVER_SCHED_MEMBER_SINK_H_
#define HYDROPHONE_SERVER_SCHED_MEMBER_SINK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

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

// Stands between the engine and a job. It ties a share of the slice's lease to every capture, and stops the job at its
// deadline and when the server ends, of which the job knows nothing. It tells the job its end right after the last
// capture of the last slice, while the batch may go on for other jobs, but keeps the job, whose plan the engine reads,
// until after the Run. Used on the engine's thread only; `batch` and what it points to outlive it.
class MemberSink : public CaptureSink {
 public:
  MemberSink(Admitted member, const RunningBatch* batch);

  void OnCapture(size_t index, TensorView rows) override;
  // Whether the engine need not compute the slice any more: also true once it has all its captures.
  bool Stopped() const override;

  // Tells the job its end, unless that has happened or slices are left. To be called after Engine::Run, with what that
  // returned.
  void Finish(const absl::Status& run);

  // When the slice was done; before that, InfiniteFuture.
  absl::Time done_at() const { return done_at_; }
  // Whether the job was told its end, by this slice or by an error in it.
  bool told() const { return told_; }
  // Whether the job's queue still holds it.
  bool last() const { return member_.last; }
  const Job& job() const { return *member_.job; }

 private:
  bool done() const { return done_at_ != absl::InfiniteFuture(); }
  absl::Status Outcome(const absl::Status& run) const;
  // The slice is over; with an error, or after the last slice, so is the job.
  void End(absl::Status outcome);
  // The capture's part of the slice's lease.
  std::shared_ptr<const ResponseBudget::Lease> ShareOf(size_t index);

  Admitted member_;  // its lease is reset once the slice is done
  const RunningBatch* const batch_;
  const absl::Time deadline_;
  const size_t expected_;  // captures
  size_t received_ = 0;
  int64_t elements_left_ = 0;  // of the captures that have not come
  absl::Time done_at_ = absl::InfiniteFuture();
  bool told_ = false;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_MEMBER_SINK_H_
