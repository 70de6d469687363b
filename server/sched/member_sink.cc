#include "server/sched/member_sink.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/sched/outcomes.h"

namespace hydrophone {

MemberSink::MemberSink(Job* job, std::shared_ptr<const ResponseBudget::Lease> lease, const Clock* clock,
                       const std::atomic<bool>* out_of_patience)
    : job_(job),
      lease_(std::move(lease)),
      clock_(clock),
      out_of_patience_(out_of_patience),
      deadline_(job->deadline()) {}

void MemberSink::OnCapture(size_t index, TensorView rows) {
  ++received_;
  job_->OnCapture(index, WithLease(std::move(rows), lease_));
}

bool MemberSink::Stopped() const {
  return job_->Stopped() || out_of_patience_->load(std::memory_order_relaxed) || clock_->Now() >= deadline_;
}

absl::Status MemberSink::Outcome(const absl::Status& run) const {
  size_t expected = job_->plan().captures.size();
  if (run.ok() && received_ == expected) return absl::OkStatus();
  absl::Status stopped = WhyStopped(*job_, clock_->Now(), out_of_patience_->load());
  if (!stopped.ok()) return stopped;
  if (!run.ok()) return absl::InternalError(run.message());
  return absl::InternalError(absl::StrCat("the engine gave ", received_, " of ", expected, " captures"));
}

}  // namespace hydrophone
