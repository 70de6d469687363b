// Admits requests, packs them into batches, and runs the engine on its one thread.
//
// clang-format off
//   Submit ─► queue (see JobQueue) ─► batch ─► engine thread: Engine::Run ─► Job::OnCapture ... Job::OnEnd
//             │ at most              ▲  │ slices of jobs, in turn by caller, of slice_tokens rows together
//             │ max_queued_requests  │  │ each with its capture_bytes reserved from the response budget
//             │                      │  ├ it starts when it is full or has enough company (see Linger), at the
//             │                      │  │ latest batch_linger_microseconds after the engine could begin it
//             │                      │  └ between pieces of its work, batches of short slices overtake a long batch
//             │                      └─── the job's next slice
//             └ a job that stopped or ran out of time leaves
// clang-format on
//
// A batch of long slices is overtaken for at most half of the time until its end: as long as the batches that overtook
// it have taken less time than itself. A batch of short slices is not, however many they are: among callers that all
// ask for little, those in the batch would wait for those behind it.
//
// Lock order of the server: a thread that holds one of these mutexes takes only those further to the right.
//
// clang-format off
//   ResponseBudget::listener_mutex_, Scheduler::starved_mutex_  ►  Scheduler::mutex_  ►  ResponseBudget::mutex_
//     (held while the listener,                                      (held while JobQueue
//      which may take the next, runs)                                 reserves from the budget)
// clang-format on
//
// Every other mutex of the server is a leaf, but for ExtractStream::mutex_, which is held while the WorkerPool takes a
// task. No mutex is held while the engine runs or a job is told anything, nor when a job or a view is destroyed: a view
// holds a lease, whose end takes listener_mutex_. Job::Stopped and Metrics are called with mutexes held, and take only
// leaves.
#ifndef HYDROPHONE_SERVER_SCHED_SCHEDULER_H_
#define HYDROPHONE_SERVER_SCHED_SCHEDULER_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/core/engine.h"
#include "server/core/limits.h"
#include "server/core/metrics.h"
#include "server/sched/clock.h"
#include "server/sched/job.h"
#include "server/sched/job_queue.h"
#include "server/sched/linger.h"
#include "server/sched/response_budget.h"

namespace hydrophone {

class Scheduler {
 public:
  // All pointers outlive the scheduler; `metrics` also outlives every view that a job was given. Starts the engine
  // thread.
  Scheduler(Engine* engine, const Limits& limits, const Clock* clock, Metrics* metrics);
  // Drains with no patience: see Drain.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Queues the job. RESOURCE_EXHAUSTED (OVERLOADED, with a time to retry) when the queue is full; UNAVAILABLE
  // (DRAINING) after StopAdmitting or Drain; INVALID_ARGUMENT (TOO_LARGE) when it could never fit. With an error, OnEnd
  // is not called. Thread-safe.
  absl::Status Submit(std::shared_ptr<Job> job) ABSL_LOCKS_EXCLUDED(mutex_);

  // Says that some job's Stopped() has become true: jobs that wait and stopped leave the queue now. Without this call,
  // a stopped job keeps its place. Thread-safe.
  void JobStopped() ABSL_LOCKS_EXCLUDED(mutex_);

  // Calls `starved` on the engine's thread, about every second while jobs wait for bytes of the response budget. Once a
  // later call of this function has returned, the earlier listener is not called any more. Null: none.
  void SetStarvedListener(std::function<void()> starved) ABSL_LOCKS_EXCLUDED(starved_mutex_);

  // From now on, Submit refuses. Admitted jobs go on. Thread-safe.
  void StopAdmitting() ABSL_LOCKS_EXCLUDED(mutex_);

  // Stops admitting, lets queued and running jobs finish until `deadline`, then drops the rest with UNAVAILABLE.
  // Returns when the engine is idle. Thread-safe; with several calls, the earliest deadline counts.
  void Drain(absl::Time deadline) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void EngineLoop() ABSL_LOCKS_EXCLUDED(mutex_);
  // One round of the engine's thread: runs what is ready, or waits. False: the thread is to end.
  bool EngineRound() ABSL_LOCKS_EXCLUDED(mutex_);
  void TellStarved() ABSL_LOCKS_EXCLUDED(mutex_, starved_mutex_);
  void RunBatch(std::vector<Admitted> batch) ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs the batch, with `between` called between pieces of its work, which adds the time that it takes to `overtaken`.
  // Returns when the first slice was done.
  absl::Time RunSlices(std::vector<Admitted> batch, absl::FunctionRef<void()> between, const absl::Duration& overtaken)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs short slices, if some wait and a batch that began at `start` has not been overtaken for too long.
  // `overtaken`: the time that this has taken so far.
  void LetShortOvertake(absl::Time start, absl::Duration* overtaken) ABSL_LOCKS_EXCLUDED(mutex_);
  void BatchDone(size_t jobs, absl::Time first_done, absl::Duration elapsed) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends each of these jobs. Called without mutex_: a job that ends may destroy views, whose leases call back.
  void Tell(std::vector<Dropped> dropped) const ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Fits(const Plan& plan) const;
  absl::Status ServerIsFull() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Hands out the jobs that stopped or ran out of time, so that none is destroyed with mutex_ held.
  std::vector<Dropped> TakeStopped() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // When the batch that waits may start; a time that has passed: at once; InfiniteFuture: no job waits.
  absl::Time NextStart() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // When the engine's thread looks again even if nothing is signalled.
  absl::Time NextLook(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // When the listener is told again that jobs wait for bytes.
  absl::Time NextStarvedLook() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Duration RetryAfter() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool idle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return queue_.empty() && !busy_; }

  Engine* const engine_;
  const Limits limits_;
  const Clock* const clock_;
  Metrics* const metrics_;
  const std::shared_ptr<ResponseBudget> budget_;

  Mutex mutex_;
  CondVar changed_;
  JobQueue queue_ ABSL_GUARDED_BY(mutex_);
  Linger linger_ ABSL_GUARDED_BY(mutex_);
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;  // a batch runs, or the engine's thread tells dropped jobs their end
  bool admitting_ ABSL_GUARDED_BY(mutex_) = true;
  bool quitting_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time starved_look_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();  // when the listener was told last
  absl::Time patience_ends_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  absl::Duration typical_batch_ ABSL_GUARDED_BY(mutex_) = absl::Seconds(1);  // a moving average
  Mutex starved_mutex_;
  std::function<void()> starved_ ABSL_GUARDED_BY(starved_mutex_);

  std::atomic<bool> out_of_patience_ = false;  // written with mutex_ held; read between layers without it

  std::thread engine_thread_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_SCHEDULER_H_
