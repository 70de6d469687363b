// Admits requests, packs them into batches, and runs the engine on its one thread.
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
  absl::Duration computed;   // of the whole batch
  int64_t batch_tokens = 0;  // of the whole batch
};

// One request on its way through the model. The scheduler holds it from Submit until after OnDone.
class Job : public CaptureSink {
 public:
  virtual const Plan& plan() const = 0;

  // Past this, the job is dropped with DEADLINE_EXCEEDED, waiting or running.
  virtual absl::Time deadline() const = 0;

  // Called once, on the engine's thread, after the last capture: OK, CANCELLED, DEADLINE_EXCEEDED, INTERNAL, or UNAVAILABLE when
  // the server stops first.
  virtual void OnDone(absl::Status status, JobTimings timings) = 0;
};

// A share of the response budget; giving it back is its destructor's work, on whatever thread.
class BudgetLease;

class Scheduler {
 public:
  // All pointers outlive the scheduler. Starts the engine thread.
  Scheduler(Engine* engine, const Limits& limits, const Clock* clock, Metrics* metrics);
  // Drains with no patience: see Drain.
  ~Scheduler();

  // Queues the job. RESOURCE_EXHAUSTED (OVERLOADED, with a time to retry) when the queue is full; UNAVAILABLE (DRAINING) after Drain
  // began; INVALID_ARGUMENT (TOO_LARGE) when it could never fit. Then OnDone is not called. Thread-safe.
  absl::Status Submit(std::shared_ptr<Job> job);

  // Stops admitting, lets queued and running jobs finish until `deadline`, then drops the rest with UNAVAILABLE. Thread-safe; blocks.
  void Drain(absl::Time deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_SCHEDULER_H_
