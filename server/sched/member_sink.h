// One job's place in a running batch.
#ifndef HYDROPHONE_SERVER_SCHED_MEMBER_SINK_H_
#define HYDROPHONE_SERVER_SCHED_MEMBER_SINK_H_

#include <atomic>
#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/core/engine.h"
#include "server/sched/clock.h"
#include "server/sched/response_budget.h"
#include "server/sched/scheduler.h"

namespace hydrophone {

// Stands between the engine and a job: ties the job's lease to every capture, and stops for what the job does not know
// of, its deadline and the server's end. Used on the engine's thread only; what the constructor gets outlives it.
class MemberSink : public CaptureSink {
 public:
  MemberSink(Job* job, std::shared_ptr<const ResponseBudget::Lease> lease, const Clock* clock,
             const std::atomic<bool>* out_of_patience);

  void OnCapture(size_t index, TensorView rows) override;
  bool Stopped() const override;

  // What to tell the job, given what Engine::Run returned.
  absl::Status Outcome(const absl::Status& run) const;

 private:
  Job* const job_;
  const std::shared_ptr<const ResponseBudget::Lease> lease_;
  const Clock* const clock_;
  const std::atomic<bool>* const out_of_patience_;
  const absl::Time deadline_;
  size_t received_ = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_MEMBER_SINK_H_
