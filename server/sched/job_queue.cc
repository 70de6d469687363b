#include "server/sched/job_queue.h"

#include <algorithm>
#include <utility>

#include "server/sched/outcomes.h"

namespace hydrophone {

JobQueue::JobQueue(const Limits& limits, ResponseBudget* budget, Metrics* metrics)
    : limits_(limits), budget_(budget), metrics_(metrics) {}

void JobQueue::Push(std::shared_ptr<Job> job, absl::Time now) {
  const Plan& plan = job->plan();
  soonest_deadline_ = std::min(soonest_deadline_, job->deadline());
  tokens_ += plan.tokens();
  jobs_.push_back({std::move(job), now, ++arrivals_, plan.tokens(), plan.capture_bytes});
  metrics_->QueueDepth(static_cast<int64_t>(jobs_.size()));
}

JobQueue::Iterator JobQueue::Remove(Iterator waiting) {
  tokens_ -= waiting->tokens;
  return jobs_.erase(waiting);
}

std::vector<Dropped> JobQueue::TakeStopped(absl::Time now, bool out_of_patience) {
  std::vector<Dropped> dropped;
  soonest_deadline_ = absl::InfiniteFuture();
  for (Iterator waiting = jobs_.begin(); waiting != jobs_.end();) {
    absl::Status why = WhyStopped(*waiting->job, now, out_of_patience);
    if (why.ok()) {
      soonest_deadline_ = std::min(soonest_deadline_, waiting->job->deadline());
      ++waiting;
    } else {
      dropped.push_back({std::move(waiting->job), waiting->since, std::move(why)});
      waiting = Remove(waiting);
    }
  }
  if (!dropped.empty()) metrics_->QueueDepth(static_cast<int64_t>(jobs_.size()));
  return dropped;
}

std::vector<Admitted> JobQueue::TakeBatch() {
  std::vector<Admitted> batch;
  int64_t tokens = 0;
  bool passing = false;  // a job further in front waits for bytes
  for (Iterator waiting = jobs_.begin(); waiting != jobs_.end();) {
    if (tokens + waiting->tokens > limits_.max_batch_tokens) break;
    auto lease =
        passing ? budget_->TryReservePassing(waiting->capture_bytes) : budget_->TryReserve(waiting->capture_bytes);
    if (lease == nullptr) {
      if (!passing) SetBytesAsideFor(*waiting);
      passing = true;
      ++waiting;
      continue;
    }
    tokens += waiting->tokens;
    batch.push_back({std::move(waiting->job), waiting->since, std::move(lease)});
    waiting = Remove(waiting);
  }
  if (!batch.empty()) metrics_->QueueDepth(static_cast<int64_t>(jobs_.size()));
  return batch;
}

void JobQueue::SetBytesAsideFor(const Waiting& waiting) {
  if (waiting.number == set_aside_for_) return;  // already set aside for this job; bytes that overtook it keep counting
  set_aside_for_ = waiting.number;
  budget_->SetAside(waiting.capture_bytes);
}

size_t JobQueue::CountBefore(absl::Time time) const {
  size_t since = 0;
  for (auto waiting = jobs_.rbegin(); waiting != jobs_.rend() && waiting->since >= time; ++waiting) ++since;
  return jobs_.size() - since;
}

}  // namespace hydrophone
