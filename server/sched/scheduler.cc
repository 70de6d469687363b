#include "server/sched/scheduler.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/core/errors.h"
#include "server/sched/job_queue.h"
#include "server/sched/linger.h"
#include "server/sched/member_sink.h"
#include "server/sched/outcomes.h"
#include "server/sched/response_budget.h"

namespace hydrophone {

class Scheduler::Impl {
 public:
  Impl(Engine* engine, const Limits& limits, const Clock* clock, Metrics* metrics);
  ~Impl();

  absl::Status Submit(std::shared_ptr<Job> job);
  void JobStopped();
  void StopAdmitting();
  void Drain(absl::Time deadline);

 private:
  void EngineLoop();
  void RunBatch(std::vector<Admitted> batch);
  void BatchDone(size_t jobs, absl::Time first_told, absl::Duration elapsed);
  void Tell(std::vector<Dropped> dropped) const;
  absl::Status Fits(const Plan& plan) const;

  // Those below need mutex_ held. None of them destroys a job: its views' leases would call back here.
  std::vector<Dropped> TakeStopped() { return queue_.TakeStopped(clock_->Now(), out_of_patience_); }
  // When the batch that waits may start, a moment that has passed included; InfiniteFuture when none waits.
  absl::Time NextStart() const;
  // When the engine is to look again, notified or not.
  absl::Time NextLook(absl::Time now) const;
  absl::Duration RetryAfter() const;
  bool idle() const { return queue_.empty() && !busy_; }

  Engine* const engine_;
  const Limits limits_;
  const Clock* const clock_;
  Metrics* const metrics_;
  const std::shared_ptr<ResponseBudget> budget_;

  std::mutex mutex_;  // guards what follows up to the thread, except for the atomic
  std::condition_variable changed_;
  JobQueue queue_;
  Linger linger_;
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
      budget_(std::make_shared<ResponseBudget>(limits.response_budget_bytes, metrics)),
      queue_(limits, budget_.get(), metrics),
      linger_(absl::Microseconds(limits.batch_linger_microseconds)) {
  budget_->SetReleaseListener([this] {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!queue_.empty()) changed_.notify_all();
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
    absl::Time now = clock_->Now();
    // Who stopped has left: see JobStopped.
    if (queue_.full() && queue_.soonest_deadline() <= now) dropped = TakeStopped();
    if (queue_.full()) {
      admitted =
          Overloaded(absl::StrCat("all ", limits_.max_queued_requests, " places in the queue are taken"), RetryAfter());
    } else {
      const bool stopped = job->Stopped();  // then its JobStopped may have come before it
      queue_.Push(std::move(job), now);
      if (stopped) dropped = TakeStopped();
      // While the engine lingers, only who makes it stop wakes it.
      if (queue_.size() == 1 || NextStart() <= now) changed_.notify_all();
    }
  }
  Tell(std::move(dropped));
  return admitted;
}

void Scheduler::Impl::JobStopped() {
  std::vector<Dropped> dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    dropped = TakeStopped();
    if (!dropped.empty()) changed_.notify_all();
  }
  Tell(std::move(dropped));
}

void Scheduler::Impl::StopAdmitting() {
  std::lock_guard<std::mutex> lock(mutex_);
  admitting_ = false;
  changed_.notify_all();  // nobody comes whom it were worth to wait for
}

void Scheduler::Impl::Drain(absl::Time deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  admitting_ = false;
  changed_.notify_all();
  patience_ends_ = std::min(patience_ends_, deadline);
  while (!idle()) {
    if (clock_->Now() >= patience_ends_ && !out_of_patience_) {
      out_of_patience_ = true;
      std::vector<Dropped> dropped = TakeStopped();
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
    absl::Time now = clock_->Now();
    std::vector<Dropped> dropped;
    std::vector<Admitted> batch;
    if (queue_.soonest_deadline() <= now) dropped = TakeStopped();
    if (NextStart() <= now) batch = queue_.TakeBatch();
    if (dropped.empty() && batch.empty()) {
      if (quitting_) return;
      clock_->WaitUntil(changed_, lock, NextLook(now));
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

absl::Time Scheduler::Impl::NextStart() const {
  if (queue_.empty()) return absl::InfiniteFuture();
  const bool full = queue_.full() || queue_.tokens() >= limits_.max_batch_tokens;
  if (full || !admitting_) return absl::InfinitePast();
  return linger_.Until(queue_.size(), queue_.oldest());
}

absl::Time Scheduler::Impl::NextLook(absl::Time now) const {
  const absl::Time start = NextStart();
  // A batch that may start and did not waits for the budget, whose listener tells.
  return start > now ? std::min(start, queue_.soonest_deadline()) : queue_.soonest_deadline();
}

absl::Duration Scheduler::Impl::RetryAfter() const {
  int64_t batches = 1 + queue_.tokens() / std::max<int64_t>(limits_.max_batch_tokens, 1);
  return std::clamp(typical_batch_ * batches, absl::Milliseconds(100), absl::Seconds(30));
}

void Scheduler::Impl::Tell(std::vector<Dropped> dropped) const {
  for (Dropped& each : dropped) {
    each.job->OnDone(
        std::move(each.why),
        JobTimings{.queued = clock_->Now() - each.since, .computed = absl::ZeroDuration(), .batch_tokens = 0});
  }
}

void Scheduler::Impl::RunBatch(std::vector<Admitted> batch) {
  RunningBatch running{.start = clock_->Now(), .tokens = 0, .clock = clock_, .out_of_patience = &out_of_patience_};
  std::vector<MemberSink> sinks;
  std::vector<BatchMember> members;
  sinks.reserve(batch.size());  // `members` points into it
  for (Admitted& member : batch) {
    const Plan& plan = member.job->plan();
    metrics_->QueueWait(running.start - member.since);
    running.tokens += plan.tokens();
    sinks.emplace_back(std::move(member), &running);
    members.push_back({&plan, &sinks.back()});
  }
  absl::Status run = engine_->Run(members);
  absl::Duration elapsed = clock_->Now() - running.start;
  metrics_->BatchDone(static_cast<int64_t>(sinks.size()), running.tokens, elapsed);

  absl::Time first_told = absl::InfiniteFuture();
  for (MemberSink& sink : sinks) {
    sink.Finish(run);
    first_told = std::min(first_told, sink.told_at());
  }
  BatchDone(sinks.size(), first_told, elapsed);
}

void Scheduler::Impl::BatchDone(size_t jobs, absl::Time first_told, absl::Duration elapsed) {
  std::lock_guard<std::mutex> lock(mutex_);
  typical_batch_ = (typical_batch_ * 3 + elapsed) / 4;
  // Who came since may be one of the batch, back already.
  linger_.BatchDone(jobs, queue_.CountBefore(first_told), clock_->Now());
}

Scheduler::Scheduler(Engine* engine, const Limits& limits, const Clock* clock, Metrics* metrics)
    : impl_(std::make_unique<Impl>(engine, limits, clock, metrics)) {}
Scheduler::~Scheduler() = default;

absl::Status Scheduler::Submit(std::shared_ptr<Job> job) { return impl_->Submit(std::move(job)); }
void Scheduler::JobStopped() { impl_->JobStopped(); }
void Scheduler::StopAdmitting() { impl_->StopAdmitting(); }
void Scheduler::Drain(absl::Time deadline) { impl_->Drain(deadline); }

}  // namespace hydrophone
