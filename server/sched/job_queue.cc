#include "server/sched/job_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/errors.h"
#include "server/core/out_of_memory.h"
#include "server/sched/outcomes.h"

namespace hydrophone {
namespace {

int64_t RowsOf(const Plan& plan) {
  int64_t rows = 0;
  for (size_t number = 0; number < SliceCount(plan); ++number) rows += CostOf(SliceAt(plan, number));
  return rows;
}

}  // namespace

PlanSlice JobQueue::Waiting::next() const { return SliceAt(job->plan(), slice); }

JobQueue::JobQueue(const Limits& limits, ResponseBudget* budget, Metrics* metrics)
    : limits_(limits), budget_(budget), metrics_(metrics), waiting_(limits.slice_tokens) {}

void JobQueue::Push(std::shared_ptr<Job> job, absl::Time now) {
  Waiting waiting{.job = std::move(job),
                  .progress = std::make_shared<JobProgress>(JobProgress{now, std::nullopt, absl::ZeroDuration()}),
                  .number = ++arrivals_};
  rows_ += RowsOf(waiting.job->plan());
  soonest_deadline_ = std::min(soonest_deadline_, DropTime(waiting));
  const Caller caller = waiting.job->caller();
  const int64_t rows = waiting.rows();
  waiting_.Push(caller, std::move(waiting), rows);
  ReportDepth();
}

absl::Time JobQueue::DropTime(const Waiting& waiting) const {
  if (waiting.slice > 0) return waiting.job->deadline();
  return std::min(waiting.job->deadline(), waiting.progress->since + absl::Seconds(limits_.max_queue_seconds));
}

absl::Status JobQueue::WhyDropped(const Waiting& waiting, absl::Time now, bool out_of_patience) const {
  if (waiting.running) return absl::OkStatus();  // its MemberSink sees to it
  if (absl::Status why = WhyStopped(*waiting.job, now, out_of_patience); !why.ok()) return why;
  if (DropTime(waiting) > now) return absl::OkStatus();
  return Overloaded(absl::StrCat("the request waited for ", limits_.max_queue_seconds, " s without a turn"),
                    absl::Seconds(1));
}

std::vector<Dropped> JobQueue::TakeStopped(absl::Time now, bool out_of_patience) {
  std::vector<Dropped> dropped;
  soonest_deadline_ = absl::InfiniteFuture();
  absl::Status why;
  const auto unwanted = [&](const Waiting& waiting) {
    why = WhyDropped(waiting, now, out_of_patience);
    if (why.ok() && !waiting.running) soonest_deadline_ = std::min(soonest_deadline_, DropTime(waiting));
    return !why.ok();
  };
  waiting_.Remove(unwanted, [&](Waiting waiting) {
    for (; waiting.slice < waiting.slices(); ++waiting.slice) rows_ -= waiting.rows();
    dropped.push_back({std::move(waiting.job), waiting.progress->since, std::move(why)});
  });
  if (!dropped.empty()) ReportDepth();
  return dropped;
}

bool JobQueue::MayJoin(const Waiting& waiting, const Batch& batch) const {
  if (!waiting.MayRun() || !(IsShort(waiting) ? batch.of_short : batch.of_long)) return false;
  return std::find(batch.blocked.begin(), batch.blocked.end(), waiting.number) == batch.blocked.end();
}

std::vector<Admitted> JobQueue::TakeBatch() {
  Batch batch;
  batch.most_rows = limits_.slice_tokens;
  batch.of_short = batch.of_long = true;
  return Fill(std::move(batch));
}

std::vector<Admitted> JobQueue::TakeShortBatch() {
  Batch batch;
  batch.most_rows = limits_.short_tokens;
  batch.of_short = true;
  return Fill(std::move(batch));
}

std::vector<Admitted> JobQueue::Fill(Batch batch) {
  const auto may_join = [&](const Waiting& waiting) { return MayJoin(waiting, batch); };
  while (Waiting* waiting = waiting_.Next(may_join)) {
    const bool fits =
        batch.rows + waiting->rows() <= batch.most_rows && batch.tokens + waiting->tokens() <= limits_.max_batch_tokens;
    if (!batch.slices.empty() && !fits) break;
    if (!Admit(*waiting, &batch)) Block(*waiting, &batch);
  }
  starved_ = batch.passing();
  if (!batch.slices.empty()) ReportDepth();
  return std::move(batch.slices);
}

void JobQueue::Block(const Waiting& waiting, Batch* batch) {
  const bool first = !batch->passing();
  batch->blocked.push_back(waiting.number);
  // Already set aside for this job; bytes that overtook it keep counting.
  if (!first || waiting.number == set_aside_for_) return;
  set_aside_for_ = waiting.number;
  budget_->SetAside(waiting.capture_bytes());
}

Admitted JobQueue::NextSliceOf(const Waiting& waiting) {
  const Plan& plan = waiting.job->plan();
  Admitted admitted{.job = waiting.job,
                    .progress = waiting.progress,
                    .plan = {waiting.job, &plan},
                    .last = waiting.slice + 1 == waiting.slices(),
                    .rows = waiting.rows()};
  if (!plan.slices.empty()) {
    const PlanSlice& slice = plan.slices[waiting.slice];
    admitted.plan = std::make_shared<const Plan>(PlanOf(slice, plan));
    admitted.first_capture = slice.first_capture;
  }
  return admitted;
}

bool JobQueue::Admit(Waiting& waiting, Batch* batch) {
  if (!budget_->HasRoom(waiting.capture_bytes(), batch->passing())) return false;  // before the slice's plan is made
  Admitted admitted;
  const absl::Status made = OrOutOfMemory([&] {
    admitted = NextSliceOf(waiting);
    batch->slices.reserve(batch->slices.size() + 1);
    auto unsent = std::make_shared<const Unsent>(waiting.unsent);
    admitted.lease = Reserve(waiting, *batch);
    if (admitted.lease != nullptr && !admitted.last) admitted.lease->Keep(std::move(unsent));
  });
  if (!made.ok() || admitted.lease == nullptr) return false;
  (IsShort(waiting) ? batch->of_long : batch->of_short) = false;
  batch->rows += waiting.rows();
  batch->tokens += waiting.tokens();
  rows_ -= waiting.rows();
  const bool last = admitted.last;
  batch->slices.push_back(std::move(admitted));
  if (last) {
    waiting_.Take();
  } else {
    ++waiting.slice;
    waiting.running = true;
    waiting_.Spend(waiting.rows());
  }
  return true;
}

std::shared_ptr<ResponseBudget::Lease> JobQueue::Reserve(const Waiting& waiting, const Batch& batch) {
  return batch.passing() ? budget_->TryReservePassing(waiting.capture_bytes())
                         : budget_->TryReserve(waiting.capture_bytes());
}

std::shared_ptr<Job> JobQueue::SliceDone(const Job& job, bool over) {
  std::shared_ptr<Job> let_go;
  const auto unwanted = [&](Waiting& waiting) {
    if (waiting.job.get() != &job) return false;
    waiting.running = false;
    soonest_deadline_ = std::min(soonest_deadline_, DropTime(waiting));
    return over;
  };
  waiting_.Remove(unwanted, [&](Waiting waiting) {
    for (; waiting.slice < waiting.slices(); ++waiting.slice) rows_ -= waiting.rows();
    let_go = std::move(waiting.job);
  });
  ReportDepth();
  return let_go;
}

bool JobQueue::ready() const {
  bool ready = false;
  waiting_.ForEach([&](const Waiting& waiting) { ready = ready || waiting.MayRun(); });
  return ready;
}

absl::Time JobQueue::oldest() const {
  absl::Time oldest = absl::InfiniteFuture();
  waiting_.ForEach([&](const Waiting& waiting) { oldest = std::min(oldest, waiting.progress->since); });
  return oldest;
}

size_t JobQueue::CountBefore(absl::Time time) const {
  size_t count = 0;
  waiting_.ForEach([&](const Waiting& waiting) { count += waiting.progress->since < time ? 1 : 0; });
  return count;
}

}  // namespace hydrophone
