#include "server/sched/scheduler.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/core/errors.h"
#include "server/sched/member_sink.h"
#include "server/sched/outcomes.h"
#include "server/sched/response_budget.h"

namespace hydrophone {
namespace {

struct Waiting {
  std::shared_ptr<Job> job;
  absl::Time since;
};

struct Member {
  Waiting waiting;
  std::shared_ptr<const ResponseBudget::Lease> lease;
};

using Batch = std::vector<Member>;

}  // namespace

class Scheduler::Impl {
 public:
  Impl(Engine* engine, const Limits& limits, const Clock* clock, Metrics* metrics);
  ~Impl();

  absl::Status Submit(std::shared_ptr<Job> job);
  void JobStopped();
  void StopAdmitting();
  void Drain(absl::Time deadline);

 private:
  // A job that left the queue without a run, and why.
  struct Dropped {
    Waiting waiting;
    absl::Status why;
  };

  void EngineLoop();
  void RunBatch(Batch batch);
  void Tell(std::vector<Dropped> dropped) const;
  absl::Status Fits(const Plan& plan) const;

  // Those below need mutex_ held. None of them destroys a job: its views' leases would call back here.
  std::vector<Dropped> TakeDropped();
  Batch TakeBatch();
  absl::Time NextDeadline() const;
  absl::Duration RetryAfter() const;
  bool idle() const { return queue_.empty() && !busy_; }

  Engine* const engine_;
  const Limits limits_;
  const Clock* const clock_;
  Metrics* const metrics_;
  const std::shared_ptr<ResponseBudget> budget_;

  std::mutex mutex_;  // guards what follows up to the thread, except for the atomic
  std::condition_variable changed_;
  std::deque<Waiting> queue_;
  bool busy_ = false;  // a batch runs, or the engine thread tells dropped jobs
  bool admitting_ = true;
  bool quitting_ = false;
  absl::Time patience_ends_ = absl::InfiniteFuture();
  absl::Duration typical_batch_ = absl::Seconds(1);  // a moving average
  std::atomic<bool> out_of_patience_ = false;        // read between layers, without the lock

  std::thread engine_thread_;
};

Scheduler::Impl::Impl(Engine* engine, const Limits& limits, const Clock* clock, Metrics* metrics)
    : engine_(engine),
      limits_(limits),
      clock_(clock),
      metrics_(metrics),
      budget_(std::make_shared<ResponseBudget>(limits.response_budget_bytes, metrics)) {
  budget_->SetReleaseListener([this] {
    std::lock_guard<std::mutex> lock(mutex_);
    changed_.notify_all();
  });
  engine_thread_ = std::thread([this] { EngineLoop(); });
}

Scheduler::Impl::~Impl() {
  Drain(absl::InfinitePast());
  {
    std::lock_guard<std::mutex> lock(mutex_);
    quitting_ = true;
    changed_.notify_all();
  }
  engine_thread_.join();
  budget_->SetReleaseListener(nullptr);
}

absl::Status Scheduler::Impl::Fits(const Plan& plan) const {
  if (plan.tokens() > limits_.max_batch_tokens) {
    return TooLarge("inputs", static_cast<uint64_t>(plan.tokens()), limits_.max_batch_tokens, "tokens");
  }
  if (plan.capture_bytes > budget_->capacity_bytes()) {
    return TooLarge("hooks", plan.capture_bytes, budget_->capacity_bytes(), "bytes of captures");
  }
  return absl::OkStatus();
}

absl::Status Scheduler::Impl::Submit(std::shared_ptr<Job> job) {
  if (absl::Status fits = Fits(job->plan()); !fits.ok()) return fits;
  std::vector<Dropped> dropped;
  absl::Status admitted;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!admitting_) return ServerStops();
    if (queue_.size() >= limits_.max_queued_requests) dropped = TakeDropped();
    if (queue_.size() >= limits_.max_queued_requests) {
      admitted =
          Overloaded(absl::StrCat("all ", limits_.max_queued_requests, " places in the queue are taken"), RetryAfter());
    } else {
      queue_.push_back({std::move(job), clock_->Now()});
      metrics_->QueueDepth(static_cast<int64_t>(queue_.size()));
      changed_.notify_all();
    }
  }
  Tell(std::move(dropped));
  return admitted;
}

void Scheduler::Impl::JobStopped() {
  std::vector<Dropped> dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    dropped = TakeDropped();
    changed_.notify_all();
  }
  Tell(std::move(dropped));
}

void Scheduler::Impl::StopAdmitting() {
  std::lock_guard<std::mutex> lock(mutex_);
  admitting_ = false;
}

void Scheduler::Impl::Drain(absl::Time deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  admitting_ = false;
  patience_ends_ = std::min(patience_ends_, deadline);
  while (!idle()) {
    if (clock_->Now() >= patience_ends_ && !out_of_patience_) {
      out_of_patience_ = true;
      std::vector<Dropped> dropped = TakeDropped();
      changed_.notify_all();
      lock.unlock();
      Tell(std::move(dropped));
      lock.lock();
      continue;
    }
    clock_->WaitUntil(changed_, lock, out_of_patience_ ? absl::InfiniteFuture() : patience_ends_);
  }
}

void Scheduler::Impl::EngineLoop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    std::vector<Dropped> dropped = TakeDropped();
    Batch batch = TakeBatch();
    if (dropped.empty() && batch.empty()) {
      if (quitting_) return;
      clock_->WaitUntil(changed_, lock, NextDeadline());
      continue;
    }
    busy_ = true;
    lock.unlock();
    Tell(std::move(dropped));
    if (!batch.empty()) RunBatch(std::move(batch));
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

std::vector<Scheduler::Impl::Dropped> Scheduler::Impl::TakeDropped() {
  std::vector<Dropped> dropped;
  std::deque<Waiting> staying;
  absl::Time now = clock_->Now();
  for (Waiting& waiting : queue_) {
    absl::Status why = WhyStopped(*waiting.job, now, out_of_patience_);
    if (why.ok()) {
      staying.push_back(std::move(waiting));
    } else {
      dropped.push_back({std::move(waiting), std::move(why)});
    }
  }
  queue_ = std::move(staying);
  if (!dropped.empty()) metrics_->QueueDepth(static_cast<int64_t>(queue_.size()));
  return dropped;
}

Batch Scheduler::Impl::TakeBatch() {
  Batch batch;
  int64_t tokens = 0;
  while (!queue_.empty()) {
    const Plan& plan = queue_.front().job->plan();
    if (tokens + plan.tokens() > limits_.max_batch_tokens) break;
    std::shared_ptr<const ResponseBudget::Lease> lease = budget_->TryReserve(plan.capture_bytes);
    if (lease == nullptr) break;
    tokens += plan.tokens();
    batch.push_back({std::move(queue_.front()), std::move(lease)});
    queue_.pop_front();
  }
  if (!batch.empty()) metrics_->QueueDepth(static_cast<int64_t>(queue_.size()));
  return batch;
}

absl::Time Scheduler::Impl::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (const Waiting& waiting : queue_) next = std::min(next, waiting.job->deadline());
  return next;
}

absl::Duration Scheduler::Impl::RetryAfter() const {
  int64_t tokens = 0;
  for (const Waiting& waiting : queue_) tokens += waiting.job->plan().tokens();
  int64_t batches = 1 + tokens / std::max<int64_t>(limits_.max_batch_tokens, 1);
  return std::clamp(typical_batch_ * batches, absl::Milliseconds(100), absl::Seconds(30));
}

void Scheduler::Impl::Tell(std::vector<Dropped> dropped) const {
  for (Dropped& each : dropped) {
    each.waiting.job->OnDone(
        std::move(each.why),
        JobTimings{.queued = clock_->Now() - each.waiting.since, .computed = absl::ZeroDuration(), .batch_tokens = 0});
  }
}

void Scheduler::Impl::RunBatch(Batch batch) {
  absl::Time start = clock_->Now();
  int64_t tokens = 0;
  std::vector<MemberSink> sinks;
  std::vector<BatchMember> members;
  sinks.reserve(batch.size());  // `members` points into it
  for (Member& member : batch) {
    metrics_->QueueWait(start - member.waiting.since);
    tokens += member.waiting.job->plan().tokens();
    sinks.emplace_back(member.waiting.job.get(), std::move(member.lease), clock_, &out_of_patience_);
    members.push_back({&member.waiting.job->plan(), &sinks.back()});
  }
  absl::Status run = engine_->Run(members);
  absl::Duration elapsed = clock_->Now() - start;
  metrics_->BatchDone(static_cast<int64_t>(batch.size()), tokens, elapsed);

  std::vector<absl::Status> outcomes;
  for (const MemberSink& sink : sinks) outcomes.push_back(sink.Outcome(run));
  sinks.clear();  // with their leases: from here on only the jobs' views hold them
  for (size_t i = 0; i < batch.size(); ++i) {
    batch[i].waiting.job->OnDone(outcomes[i], {start - batch[i].waiting.since, elapsed, tokens});
  }
  std::lock_guard<std::mutex> lock(mutex_);
  typical_batch_ = (typical_batch_ * 3 + elapsed) / 4;
}

Scheduler::Scheduler(Engine* engine, const Limits& limits, const Clock* clock, Metrics* metrics)
    : impl_(std::make_unique<Impl>(engine, limits, clock, metrics)) {}
Scheduler::~Scheduler() = default;

absl::Status Scheduler::Submit(std::shared_ptr<Job> job) { return impl_->Submit(std::move(job)); }
void Scheduler::JobStopped() { impl_->JobStopped(); }
void Scheduler::StopAdmitting() { impl_->StopAdmitting(); }
void Scheduler::Drain(absl::Time deadline) { impl_->Drain(deadline); }

}  // namespace hydrophone
