// The jobs that wait for the model, and which of them run next.
#ifndef HYDROPHONE_SERVER_SCHED_JOB_QUEUE_H_
#define HYDROPHONE_SERVER_SCHED_JOB_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/core/limits.h"
#include "server/core/metrics.h"
#include "server/sched/job.h"
#include "server/sched/response_budget.h"

namespace hydrophone {

// A job that runs next, with its share of the response budget.
struct Admitted {
  std::shared_ptr<Job> job;
  absl::Time since;  // when it was queued
  std::shared_ptr<const ResponseBudget::Lease> lease;
};

// A job that left the queue without a run, and why.
struct Dropped {
  std::shared_ptr<Job> job;
  absl::Time since;
  absl::Status why;
};

// First come, first served, with one exception: when the response budget has no room for a job's captures, the jobs
// behind it that fit beside its share overtake it (see ResponseBudget::TryReservePassing). So a caller that never reads
// delays only the jobs that need the very bytes that it holds, and a job that needs many bytes gets them as soon as the
// leases from before it end.
//
// Not thread-safe: the scheduler's mutex guards it. It destroys no job but hands each one out, because a job's views
// hold leases, whose end calls the scheduler. Each call looks at each waiting job once at most.
class JobQueue {
 public:
  // The pointers outlive the queue.
  JobQueue(const Limits& limits, ResponseBudget* budget, Metrics* metrics);

  // Queues the job. REQUIRES: not full(), and the job by itself fits into a batch and into the budget.
  void Push(std::shared_ptr<Job> job, absl::Time now);

  // Takes out the jobs that stopped or ran out of time; with `out_of_patience`, all jobs.
  std::vector<Dropped> TakeStopped(absl::Time now, bool out_of_patience);

  // Takes out the next batch: jobs from the front, up to the first that does not fit into max_batch_tokens. Empty while
  // the budget has room for none of them.
  std::vector<Admitted> TakeBatch();

  bool empty() const { return jobs_.empty(); }
  bool full() const { return jobs_.size() >= limits_.max_queued_requests; }
  size_t size() const { return jobs_.size(); }
  // The sum over all waiting jobs.
  int64_t tokens() const { return tokens_; }
  // When the first job was queued. REQUIRES: not empty().
  absl::Time oldest() const { return jobs_.front().since; }
  // How many of the waiting jobs were queued before `time`.
  size_t CountBefore(absl::Time time) const;
  // No waiting job has an earlier deadline than this.
  absl::Time soonest_deadline() const { return soonest_deadline_; }

 private:
  struct Waiting {
    std::shared_ptr<Job> job;
    absl::Time since;
    uint64_t number;         // 1 for the first job that was ever queued, then 2, ...
    int64_t tokens;          // the plan's
    uint64_t capture_bytes;  // the plan's
  };
  using Iterator = std::list<Waiting>::iterator;

  // Takes out an entry whose job has been moved away; returns the next entry.
  Iterator Remove(Iterator waiting);
  void SetBytesAsideFor(const Waiting& waiting);

  const Limits limits_;
  ResponseBudget* const budget_;
  Metrics* const metrics_;
  std::list<Waiting> jobs_;  // in the order of Push
  int64_t tokens_ = 0;
  absl::Time soonest_deadline_ = absl::InfiniteFuture();
  uint64_t arrivals_ = 0;
  uint64_t set_aside_for_ = 0;  // the number of the job that bytes were last set aside for; 0: none yet
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_JOB_QUEUE_H_
