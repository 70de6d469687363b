#include "server/sched/member_sink.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/sched/outcomes.h"

namespace hydrophone {

MemberSink::MemberSink(Admitted member, const RunningBatch* batch)
    : member_(std::move(member)),
      batch_(batch),
      deadline_(member_.job->deadline()),
      expected_(member_.job->plan().captures.size()) {}

void MemberSink::OnCapture(size_t index, TensorView rows) {
  ++received_;
  member_.job->OnCapture(index, WithLease(std::move(rows), member_.lease));
  if (received_ == expected_) Tell(absl::OkStatus());
}

bool MemberSink::Stopped() const {
  return told() || member_.job->Stopped() || batch_->out_of_patience->load(std::memory_order_relaxed) ||
         batch_->clock->Now() >= deadline_;
}

void MemberSink::Finish(const absl::Status& run) {
  if (!told()) Tell(Outcome(run));
}

// How a job ends that lacks captures, or that asked for none.
absl::Status MemberSink::Outcome(const absl::Status& run) const {
  if (run.ok() && received_ == expected_) return absl::OkStatus();
  absl::Status stopped = WhyStopped(*member_.job, batch_->clock->Now(), batch_->out_of_patience->load());
  if (!stopped.ok()) return stopped;
  if (!run.ok()) return absl::InternalError(run.message());
  return absl::InternalError(absl::StrCat("the engine gave ", received_, " of ", expected_, " captures"));
}

void MemberSink::Tell(absl::Status outcome) {
  told_at_ = batch_->clock->Now();
  member_.lease.reset();  // from here on, only the job's views keep the lease
  member_.job->OnEnd(std::move(outcome), {batch_->start - member_.since, told_at_ - batch_->start, batch_->tokens});
}

}  // namespace hydrophone
