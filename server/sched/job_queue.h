// The jobs that wait for the model, and which of their slices run next.
#ifndef HYDROPHONE_SERVER_SCHED_JOB_QUEUE_H_
#define HYDROPHONE_SERVER_SCHED_JOB_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/core/limits.h"
#include "server/core/metrics.h"
#include "server/sched/job.h"
#include "server/sched/response_budget.h"
#include "server/sched/slices_of.h"
#include "server/sched/turns.h"

namespace hydrophone {

// How far a job has come, which its slices add to one after another.
struct JobProgress {
  absl::Time since;                   // when it was queued
  std::optional<absl::Time> started;  // when its first slice was
  absl::Duration computed;            // of the slices so far
};

// A slice of a job that runs next, with its share of the response budget.
struct Admitted {
  std::shared_ptr<Job> job;
  std::shared_ptr<JobProgress> progress;
  std::shared_ptr<const Plan> plan;  // the slice's
  size_t first_capture = 0;          // the slice's, in the job's plan
  bool last = true;                  // of the job's slices
  int64_t rows = 0;
  std::shared_ptr<ResponseBudget::Lease> lease = nullptr;
};

// A job that left the queue without its end, and why.
struct Dropped {
  std::shared_ptr<Job> job;
  absl::Time since;
  absl::Status why;
};

// Callers take turns (see Turns), at the cost of a slice's rows, and each caller's jobs come in their order. A job that
// has slices left stays in its place while one of them runs. Two exceptions to the order:
//   - a job is passed over while the captures of two of its slices are still unsent, so that a caller which reads
//   slowly
//     or not at all holds the memory of two slices;
//   - when the response budget has no room for a slice's captures, those behind it that fit beside its share overtake
//   it
//     (see ResponseBudget::TryReservePassing).
// So a caller that never reads delays only the jobs that need the very bytes that it holds, and a job that needs many
// bytes gets them as soon as the leases from before it end.
//
// Short slices and long ones are not computed together: a short one would wait for the long one's end.
//
// Not thread-safe: the scheduler's mutex guards it. It destroys no job but hands each one out, because a job's views
// hold leases, whose end calls the scheduler. Each call looks at each waiting job a few times at most.
class JobQueue {
 public:
  // The pointers outlive the queue.
  JobQueue(const Limits& limits, ResponseBudget* budget, Metrics* metrics);

  // Queues the job. REQUIRES: not RefusesFurther(its caller), and each of its slices by itself fits into a batch and
  // into the budget.
  void Push(std::shared_ptr<Job> job, absl::Time now);

  // Takes out the jobs that stopped or ran out of time, and those that have waited for limits.max_queue_seconds without
  // a turn; with `out_of_patience`, all jobs. Jobs of which a slice runs are left.
  std::vector<Dropped> TakeStopped(absl::Time now, bool out_of_patience);

  // The next batch: slices of as many jobs as have limits.slice_tokens rows together, or one that has more. Empty while
  // none may run or the budget has room for none.
  std::vector<Admitted> TakeBatch();
  // The same of short slices alone, with limits.short_tokens rows together.
  std::vector<Admitted> TakeShortBatch();

  // The job's slice, which was not the last one, has been computed; `over`: the job has been told its end.
  // Returns the job if the queue lets go of it.
  std::shared_ptr<Job> SliceDone(const Job& job, bool over);

  // Whether a slice may run, if the budget has room for it.
  bool ready() const;
  // Whether the budget lacked room for a slice when the last batch was taken.
  bool starved() const { return starved_ && !waiting_.empty(); }
  bool empty() const { return waiting_.empty(); }
  bool full() const { return waiting_.size() >= limits_.max_queued_requests; }
  // Whether the caller's next job finds no place. In a full queue, callers that have none find one, as many again.
  bool RefusesFurther(const Caller& caller) const { return waiting_.IsFull(limits_.max_queued_requests, caller); }
  // Jobs, those of which a slice runs included.
  size_t size() const { return waiting_.size(); }
  // The rows that are not computed yet, of all jobs together.
  int64_t rows() const { return rows_; }
  // When the first job was queued. REQUIRES: not empty().
  absl::Time oldest() const;
  // How many of the jobs were queued before `time`.
  size_t CountBefore(absl::Time time) const;
  // No waiting job is to be dropped before this time.
  absl::Time soonest_deadline() const { return soonest_deadline_; }

 private:
  // Counts, by the references to it, the slices of a job whose captures are unsent.
  using Unsent = std::shared_ptr<const bool>;

  struct Waiting {
    std::shared_ptr<Job> job;
    std::shared_ptr<JobProgress> progress;
    uint64_t number = 0;   // 1 for the first job that was ever queued, then 2, ...
    size_t slice = 0;      // the next one
    bool running = false;  // the slice before it runs
    Unsent unsent = std::make_shared<const bool>(true);

    bool MayRun() const { return !running && unsent.use_count() <= kUnsentSlices; }
    size_t slices() const { return SliceCount(job->plan()); }
    PlanSlice next() const;
    // Of the next slice.
    int64_t rows() const { return CostOf(next()); }
    int64_t tokens() const { return TokensOf(next(), job->plan()); }
    uint64_t capture_bytes() const { return next().capture_bytes; }
  };
  // The most references to `unsent` with which another slice may run: the queue's own, and one slice's.
  static constexpr int64_t kUnsentSlices = 2;

  // A batch as it is being put together.
  struct Batch {
    std::vector<Admitted> slices;
    int64_t most_rows = 0;
    int64_t rows = 0;
    int64_t tokens = 0;
    bool of_short = false;          // takes short slices
    bool of_long = false;           // takes long slices
    std::vector<uint64_t> blocked;  // numbers of the jobs for which the budget has no room
    bool passing() const { return !blocked.empty(); }
  };

  bool IsShort(const Waiting& waiting) const { return waiting.rows() <= limits_.short_tokens; }
  bool MayJoin(const Waiting& waiting, const Batch& batch) const;
  std::vector<Admitted> Fill(Batch batch);
  void Block(const Waiting& waiting, Batch* batch);
  // Moves the slice, which is the turns' next, into the batch. False, without a change, when the budget has no room for
  // it, or memory ran out: all that may throw comes first.
  bool Admit(Waiting& waiting, Batch* batch);
  static Admitted NextSliceOf(const Waiting& waiting);
  std::shared_ptr<ResponseBudget::Lease> Reserve(const Waiting& waiting, const Batch& batch);
  absl::Status WhyDropped(const Waiting& waiting, absl::Time now, bool out_of_patience) const;
  absl::Time DropTime(const Waiting& waiting) const;
  void ReportDepth() const { metrics_->QueueDepth(static_cast<int64_t>(waiting_.size())); }

  const Limits limits_;
  ResponseBudget* const budget_;
  Metrics* const metrics_;
  Turns<Waiting> waiting_;
  int64_t rows_ = 0;
  absl::Time soonest_deadline_ = absl::InfiniteFuture();
  bool starved_ = false;
  uint64_t arrivals_ = 0;
  uint64_t set_aside_for_ = 0;  // the number of the job that bytes were last set aside for; 0: none yet
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_JOB_QUEUE_H_
