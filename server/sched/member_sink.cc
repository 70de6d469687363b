#include "server/sched/member_sink.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/sched/outcomes.h"

namespace hydrophone {

MemberSink::MemberSink(Admitted member, const RunningBatch* batch)
    : member_(std::move(member)),
      batch_(batch),
      deadline_(member_.job->deadline()),
      expected_(member_.plan->captures.size()) {
  for (const Capture& capture : member_.plan->captures) elements_left_ += capture.Elements();
}

void MemberSink::OnCapture(size_t index, TensorView rows) {
  ++received_;
  member_.job->OnCapture(member_.first_capture + index, WithLease(std::move(rows), ShareOf(index)));
  if (received_ == expected_) End(absl::OkStatus());
}

std::shared_ptr<const ResponseBudget::Lease> MemberSink::ShareOf(size_t index) {
  const int64_t elements = member_.plan->captures[index].Elements();
  const uint64_t left = member_.lease->bytes();
  uint64_t bytes = left;
  if (elements < elements_left_) {
    bytes = static_cast<uint64_t>(static_cast<double>(left) *
                                  (static_cast<double>(elements) / static_cast<double>(elements_left_)));
  }
  elements_left_ -= elements;
  return member_.lease->Split(std::min(bytes, left));
}

bool MemberSink::Stopped() const {
  return done() || member_.job->Stopped() || batch_->out_of_patience->load(std::memory_order_relaxed) ||
         batch_->clock->Now() >= deadline_;
}

void MemberSink::Finish(const absl::Status& run) {
  if (!done()) End(Outcome(run));
}

// How a job ends that lacks captures, or that asked for none.
absl::Status MemberSink::Outcome(const absl::Status& run) const {
  if (run.ok() && received_ == expected_) return absl::OkStatus();
  absl::Status stopped = WhyStopped(*member_.job, batch_->clock->Now(), batch_->out_of_patience->load());
  if (!stopped.ok()) return stopped;
  if (absl::IsResourceExhausted(run)) return run;
  if (!run.ok()) return absl::InternalError(run.message());
  return absl::InternalError(absl::StrCat("the engine gave ", received_, " of ", expected_, " captures"));
}

void MemberSink::End(absl::Status outcome) {
  done_at_ = batch_->clock->Now();
  member_.lease.reset();  // from here on, only the job's views keep the lease
  JobProgress& progress = *member_.progress;
  if (!progress.started.has_value()) progress.started = batch_->start;
  progress.computed += done_at_ - batch_->start;
  if (outcome.ok() && !member_.last) return;
  told_ = true;
  member_.job->OnEnd(std::move(outcome), {*progress.started - progress.since, progress.computed, batch_->tokens});
}

}  // namespace hydrophone
