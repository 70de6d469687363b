// Who waits for the model, and who of them may run next.
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
#include "server/sched/response_budget.h"
#include "server/sched/scheduler.h"

namespace hydrophone {

// A job that is to run now, with its share of the response budget.
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

// First come, first served, but for one thing: a job for whose captures the response budget has no room is passed by
// those behind it that fit beside its share (see ResponseBudget::TryReservePassing). So a reader who never reads stops
// nobody but those who need the very bytes that he holds, and a job that needs many gets them as soon as those before
// it let go.
//
// Not thread-safe: the scheduler's mutex guards it. Destroys no job but hands each out: a job's views hold leases,
// whose end calls the scheduler. Each call costs at most one look at each job that waits.
class JobQueue {
 public:
  // The pointers outlive the queue.
  JobQueue(const Limits& limits, ResponseBudget* budget, Metrics* metrics);

  // Unless full. The job fits alone: into a batch, and into the budget.
  void Push(std::shared_ptr<Job> job, absl::Time now);

  // Takes out who has stopped or run out of time; with `out_of_patience`, everybody.
  std::vector<Dropped> TakeStopped(absl::Time now, bool out_of_patience);

  // Takes out the next batch, from the front until one does not fit into max_batch_tokens. Empty while the budget has
  // room for none.
  std::vector<Admitted> TakeBatch();

  bool empty() const { return jobs_.empty(); }
  bool full() const { return jobs_.size() >= limits_.max_queued_requests; }
  size_t size() const { return jobs_.size(); }
  // Of all who wait.
  int64_t tokens() const { return tokens_; }
  // When the first one came; not when empty.
  absl::Time oldest() const { return jobs_.front().since; }
  // How many came before `time`.
  size_t CountBefore(absl::Time time) const;
  // No deadline of a waiting job is before it.
  absl::Time soonest_deadline() const { return soonest_deadline_; }

 private:
  struct Waiting {
    std::shared_ptr<Job> job;
    absl::Time since;
    uint64_t number;  // 1 for the first that ever came
    // The plan's.
    int64_t tokens;
    uint64_t capture_bytes;
  };
  using Iterator = std::list<Waiting>::iterator;

  // Takes it out; gives the next one. The caller has moved its job on.
  Iterator Remove(Iterator waiting);
  void BytesAreSetAsideFor(const Waiting& waiting);

  const Limits limits_;
  ResponseBudget* const budget_;
  Metrics* const metrics_;
  std::list<Waiting> jobs_;  // in the order in which they came
  int64_t tokens_ = 0;
  absl::Time soonest_deadline_ = absl::InfiniteFuture();
  uint64_t arrivals_ = 0;
  uint64_t set_aside_for_ = 0;  // the number of the last one that the budget had no room for; 0: none yet
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_JOB_QUEUE_H_
