// A job whose captures somebody waits for, all together.
#ifndef HYDROPHONE_SERVER_RPC_COLLECT_JOB_H_
#define HYDROPHONE_SERVER_RPC_COLLECT_JOB_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/sched/scheduler.h"

namespace hydrophone {

// Everything that a plan captured. The views hold the job's share of the response budget.
struct Collected {
  std::vector<TensorView> captures;  // as plan.captures
  JobTimings timings;
};

// Thread-safe.
class CollectJob : public Job {
 public:
  // The plan is the job's own: the engine may read it longer than anybody waits. `stopped` is asked from any thread,
  // until OnDone.
  CollectJob(Plan plan, absl::Time deadline, std::function<bool()> stopped);

  const Plan& plan() const override { return plan_; }
  absl::Time deadline() const override { return deadline_; }
  bool Stopped() const override { return stopped_(); }
  void OnCapture(size_t index, TensorView rows) override;
  void OnDone(absl::Status status, JobTimings timings) override;

  // After Submit took it, once: blocks until OnDone; its status if not OK.
  absl::StatusOr<Collected> Await();

 private:
  const Plan plan_;
  const absl::Time deadline_;
  const std::function<bool()> stopped_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Collected collected_;
  std::optional<absl::Status> done_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_COLLECT_JOB_H_
