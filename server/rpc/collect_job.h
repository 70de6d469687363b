// A job whose captures are waited for all together.
#ifndef HYDROPHONE_SERVER_RPC_COLLECT_JOB_H_
#define HYDROPHONE_SERVER_RPC_COLLECT_JOB_H_

#include <functional>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "server/base/mutex.h"
#include "server/sched/job.h"

namespace hydrophone {

// Everything that a plan captured. The views hold the job's share of the response budget.
struct Collected {
  std::vector<TensorView> captures;  // as plan.captures
};

// Thread-safe.
class CollectJob : public Job {
 public:
  // The plan is the job's own, because the engine may still read it when Await has returned. `stopped` is called on any
  // thread, until OnEnd.
  CollectJob(Plan plan, Caller caller, absl::Time deadline, std::function<bool()> stopped);

  const Plan& plan() const override { return plan_; }
  const Caller& caller() const override { return caller_; }
  absl::Time deadline() const override { return deadline_; }
  bool Stopped() const override { return stopped_(); }
  void OnCapture(size_t index, TensorView rows) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnEnd(absl::Status status, JobTimings timings) override ABSL_LOCKS_EXCLUDED(mutex_);

  // Blocks until OnEnd, and returns its status if that is not OK. To be called once, after Submit has taken the job.
  absl::StatusOr<Collected> Await() ABSL_LOCKS_EXCLUDED(mutex_);

  // What OnEnd said. To be called after Await.
  JobTimings timings() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const Plan plan_;
  const Caller caller_;
  const absl::Time deadline_;
  const std::function<bool()> stopped_;
  Mutex mutex_;
  CondVar changed_;
  Collected collected_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  JobTimings timings_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_COLLECT_JOB_H_
