// Admits requests, packs them into batches, and runs the engine on its one thread.
//
// clang-format off
//   Submit ─► queue (see JobQueue) ─► batch ─► engine thread: Engine::Run ─► Job::OnCapture ... Job::OnDone
//             │ at most                 │ as many from the front as fit in max_batch_tokens
//             │ max_queued_requests     │ each with its capture_bytes reserved from the response budget
//             │                         └ it starts when it is full or has enough company (see Linger), at the
//             │                           latest batch_linger_microseconds after the engine could begin it
//             └ who stopped or ran out of time leaves
// clang-format on
#ifndef HYDROPHONE_SERVER_SCHED_SCHEDULER_H_
#define HYDROPHONE_SERVER_SCHED_SCHEDULER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/core/engine.h"
#include "server/core/limits.h"
#include "server/core/metrics.h"
#include "server/sched/clock.h"

namespace hydrophone {

struct JobTimings {
  absl::Duration queued;
  absl::Duration computed;   // from the batch's start to the job's last capture
  int64_t batch_tokens = 0;  // of the whole batch
};

// One request on its way through the model. The scheduler holds it from Submit until after OnDone, and while the engine
// reads its plan: the rest of a batch may run on without it. The views that OnCapture gets hold the job's share of the
// response budget: it is given back when the last copy of them is gone.
class Job : public CaptureSink {
 public:
  // The same as long as the job lives.
  virtual const Plan& plan() const = 0;

  // Past this, the job is dropped with DEADLINE_EXCEEDED, waiting or running.
  virtual absl::Time deadline() const = 0;

  // Called once. OK right after the last capture, also when the batch goes on for others and whatever becomes of it; of
  // a job that asks for no captures, after the batch. Else CANCELLED, DEADLINE_EXCEEDED, INTERNAL, or UNAVAILABLE
  // (DRAINING) when the server stops first. On the engine's thread, or, for a job that stopped while it waited, on the
  // thread that called the scheduler: hand over and return, and hold no lock over Submit and JobStopped that OnDone
  // takes.
  virtual void OnDone(absl::Status status, JobTimings timings) = 0;
};

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
  // (DRAINING) after StopAdmitting or Drain; INVALID_ARGUMENT (TOO_LARGE) when it could never fit. Then OnDone is not
  // called. Thread-safe.
  absl::Status Submit(std::shared_ptr<Job> job);

  // Says that some job's Stopped() has become true: jobs that wait and stopped leave the queue now. Until it is said, a
  // stopped job keeps its place. Thread-safe.
  void JobStopped();

  // From now on, Submit refuses. What was admitted goes on. Thread-safe.
  void StopAdmitting();

  // Stops admitting, lets queued and running jobs finish until `deadline`, then drops the rest with UNAVAILABLE.
  // Returns when the engine is idle. Thread-safe; with several calls, the earliest deadline counts.
  void Drain(absl::Time deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_SCHEDULER_H_
