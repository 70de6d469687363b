#include "server/sched/scheduler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/errors.h"
#include "server/sched/member_sink.h"
#include "server/sched/outcomes.h"
#include "server/sched/slices_of.h"

namespace hydrophone {
namespace {

// How often streams are looked at that hold the bytes that others wait for.
constexpr absl::Duration kStarvedLook = absl::Seconds(1);

}  // namespace

Scheduler::Scheduler(Engine* engine, const Limits& limits, const Clock* clock, Metrics* metrics)
    : engine_(engine),
      limits_(limits),
      clock_(clock),
      metrics_(metrics),
      budget_(std::make_shared<ResponseBudget>(limits.response_budget_bytes, metrics)),
      queue_(limits, budget_.get(), metrics),
      linger_(absl::Microseconds(limits.batch_linger_microseconds)) {
  budget_->SetReleaseListener([this] {
    MutexLock lock(&mutex_);
    if (!queue_.empty()) changed_.SignalAll();
  });
  engine_thread_ = std::thread([this] { EngineLoop(); });
}

Scheduler::~Scheduler() {
  Drain(absl::InfinitePast());
  {
    MutexLock lock(&mutex_);
    quitting_ = true;
    changed_.SignalAll();
  }
  engine_thread_.join();
  budget_->SetReleaseListener(nullptr);
}

absl::Status Scheduler::Fits(const Plan& plan) const {
  for (size_t number = 0; number < SliceCount(plan); ++number) {
    const PlanSlice slice = SliceAt(plan, number);
    const int64_t tokens = TokensOf(slice, plan);
    if (tokens > limits_.max_batch_tokens) {
      return TooLarge("inputs", static_cast<uint64_t>(tokens), limits_.max_batch_tokens, "tokens computed together");
    }
    if (slice.capture_bytes > budget_->capacity_bytes()) {
      return TooLarge("hooks", slice.capture_bytes, budget_->capacity_bytes(), "bytes of captures");
    }
  }
  return absl::OkStatus();
}

absl::Status Scheduler::ServerIsFull() const {
  return Overloaded(absl::StrCat("all ", limits_.max_queued_requests, " places in the queue are taken"), RetryAfter());
}

absl::Status Scheduler::Submit(std::shared_ptr<Job> job) {
  if (absl::Status fits = Fits(job->plan()); !fits.ok()) return fits;
  std::vector<Dropped> dropped;
  absl::Status admitted;
  {
    MutexLock lock(&mutex_);
    if (!admitting_) return ServerStops();
    const absl::Time now = clock_->Now();
    // Jobs past their deadline still hold places. Stopped ones do not: JobStopped has taken them out.
    if (queue_.RefusesFurther(job->caller()) && queue_.soonest_deadline() <= now) dropped = TakeStopped();
    if (queue_.RefusesFurther(job->caller())) {
      admitted = ServerIsFull();
    } else {
      const bool stopped = job->Stopped();  // its JobStopped may have come before it was queued
      const bool idle = !queue_.ready();
      queue_.Push(std::move(job), now);
      if (stopped) dropped = TakeStopped();
      // While the engine's thread lingers, it is woken only by the job that lets the batch start.
      if (idle || NextStart() <= now) changed_.SignalAll();
    }
  }
  Tell(std::move(dropped));
  return admitted;
}

void Scheduler::JobStopped() {
  std::vector<Dropped> dropped;
  {
    MutexLock lock(&mutex_);
    dropped = TakeStopped();
    if (!dropped.empty()) changed_.SignalAll();
  }
  Tell(std::move(dropped));
}

void Scheduler::StopAdmitting() {
  MutexLock lock(&mutex_);
  admitting_ = false;
  changed_.SignalAll();  // no job will arrive any more, so a lingering batch starts now
}

void Scheduler::Drain(absl::Time deadline) {
  mutex_.Lock();
  admitting_ = false;
  changed_.SignalAll();
  patience_ends_ = std::min(patience_ends_, deadline);
  while (!idle()) {
    if (clock_->Now() >= patience_ends_ && !out_of_patience_) {
      out_of_patience_ = true;
      std::vector<Dropped> dropped = TakeStopped();
      changed_.SignalAll();
      mutex_.Unlock();
      Tell(std::move(dropped));
      mutex_.Lock();
      continue;
    }
    clock_->WaitUntil(changed_, &mutex_, out_of_patience_ ? absl::InfiniteFuture() : patience_ends_);
  }
  mutex_.Unlock();
}

void Scheduler::EngineLoop() {
  while (EngineRound()) {
  }
}

bool Scheduler::EngineRound() {
  std::vector<Dropped> dropped;
  std::vector<Admitted> batch;
  bool starved = false;
  {
    MutexLock lock(&mutex_);
    const absl::Time now = clock_->Now();
    if (queue_.soonest_deadline() <= now) dropped = TakeStopped();
    if (NextStart() <= now) batch = queue_.TakeBatch();
    starved = NextStarvedLook() <= now;
    if (starved) starved_look_ = now;
    if (dropped.empty() && batch.empty() && !starved) {
      if (quitting_) return false;
      clock_->WaitUntil(changed_, &mutex_, NextLook(now));
      return true;
    }
    busy_ = true;
  }
  if (starved) TellStarved();
  Tell(std::move(dropped));
  if (!batch.empty()) RunBatch(std::move(batch));
  MutexLock lock(&mutex_);
  busy_ = false;
  changed_.SignalAll();
  return true;
}

void Scheduler::SetStarvedListener(std::function<void()> starved) {
  MutexLock lock(&starved_mutex_);
  starved_ = std::move(starved);
}

void Scheduler::TellStarved() {
  MutexLock lock(&starved_mutex_);
  if (starved_) starved_();
}

absl::Time Scheduler::NextStarvedLook() const {
  return queue_.starved() ? starved_look_ + kStarvedLook : absl::InfiniteFuture();
}

std::vector<Dropped> Scheduler::TakeStopped() { return queue_.TakeStopped(clock_->Now(), out_of_patience_); }

absl::Time Scheduler::NextStart() const {
  if (!queue_.ready()) return absl::InfiniteFuture();
  const bool full = queue_.full() || queue_.rows() >= limits_.slice_tokens;
  if (full || !admitting_) return absl::InfinitePast();
  return linger_.Until(queue_.size(), queue_.oldest());
}

absl::Time Scheduler::NextLook(absl::Time now) const {
  const absl::Time start = NextStart();
  // A batch whose start has come and that did not start waits for the budget, whose listener signals.
  return std::min({start > now ? start : absl::InfiniteFuture(), queue_.soonest_deadline(), NextStarvedLook()});
}

absl::Duration Scheduler::RetryAfter() const {
  const int64_t batches = 1 + queue_.rows() / limits_.slice_tokens;
  return std::clamp(typical_batch_ * batches, absl::Milliseconds(100), absl::Seconds(30));
}

void Scheduler::Tell(std::vector<Dropped> dropped) const {
  for (Dropped& each : dropped) {
    each.job->OnEnd(
        std::move(each.why),
        JobTimings{.queued = clock_->Now() - each.since, .computed = absl::ZeroDuration(), .batch_tokens = 0});
  }
}

void Scheduler::RunBatch(std::vector<Admitted> batch) {
  const absl::Time start = clock_->Now();
  const size_t jobs = batch.size();
  const bool is_long = batch.front().rows > limits_.short_tokens;  // or else all its slices are short
  absl::Duration overtaken;
  const auto between = [&] {
    if (is_long) LetShortOvertake(start, &overtaken);
  };
  const absl::Time first_done = RunSlices(std::move(batch), between, overtaken);
  BatchDone(jobs, first_done, clock_->Now() - start - overtaken);
}

void Scheduler::LetShortOvertake(absl::Time start, absl::Duration* overtaken) {
  const absl::Time now = clock_->Now();
  if (now - start < 2 * *overtaken) return;
  std::vector<Admitted> batch;
  {
    MutexLock lock(&mutex_);
    if (!out_of_patience_) batch = queue_.TakeShortBatch();
  }
  if (batch.empty()) return;
  RunSlices(
      std::move(batch), [] {}, absl::ZeroDuration());
  *overtaken += clock_->Now() - now;
}

absl::Time Scheduler::RunSlices(std::vector<Admitted> batch, absl::FunctionRef<void()> between,
                                const absl::Duration& overtaken) {
  RunningBatch running{.start = clock_->Now(), .tokens = 0, .clock = clock_, .out_of_patience = &out_of_patience_};
  std::vector<MemberSink> sinks;
  std::vector<BatchMember> members;
  sinks.reserve(batch.size());  // `members` points into it
  for (Admitted& member : batch) {
    const Plan& plan = *member.plan;
    if (!member.progress->started.has_value()) {
      const WorkClass work = member.rows <= limits_.short_tokens ? WorkClass::kShort : WorkClass::kBulk;
      metrics_->QueueWait(work, running.start - member.progress->since);
    }
    running.tokens += plan.tokens();
    sinks.emplace_back(std::move(member), &running);
    members.push_back({&plan, &sinks.back()});
  }
  const absl::Status run = engine_->Run(members, between);
  const absl::Duration elapsed = clock_->Now() - running.start - overtaken;
  metrics_->BatchDone(static_cast<int64_t>(sinks.size()), running.tokens, elapsed);
  absl::Time first_done = absl::InfiniteFuture();
  for (MemberSink& sink : sinks) {
    sink.Finish(run);
    first_done = std::min(first_done, sink.done_at());
  }
  std::vector<std::shared_ptr<Job>> let_go;  // destroyed without mutex_
  MutexLock lock(&mutex_);
  for (const MemberSink& sink : sinks) {
    if (!sink.last()) let_go.push_back(queue_.SliceDone(sink.job(), sink.told()));
  }
  return first_done;
}

void Scheduler::BatchDone(size_t jobs, absl::Time first_done, absl::Duration elapsed) {
  MutexLock lock(&mutex_);
  typical_batch_ = (typical_batch_ * 3 + elapsed) / 4;
  // Jobs queued after the first result may be this batch's own callers asking again: not counted.
  linger_.BatchDone(jobs, queue_.CountBefore(first_done), clock_->Now());
}

}  // namespace hydrophone
