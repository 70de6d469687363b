// What the scheduler knows of a request on its way through the model.
#ifndef HYDROPHONE_SERVER_SCHED_JOB_H_
#define HYDROPHONE_SERVER_SCHED_JOB_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/core/caller.h"
#include "server/core/engine.h"

namespace hydrophone {

struct JobTimings {
  absl::Duration queued;
  absl::Duration computed;   // from a batch's start to the job's last capture in it, over all batches of its slices
  int64_t batch_tokens = 0;  // of the whole batch, the last one
};

// One request on its way through the model. The scheduler holds it from Submit until after OnEnd, and for as long as
// the engine reads its plan: the rest of a batch may run on after the job has ended. The views that OnCapture gets hold
// the job's share of the response budget, which is given back when the last copy of them is gone.
class Job : public CaptureSink {
 public:
  // The same as long as the job lives.
  virtual const Plan& plan() const = 0;

  // Whose turn the job takes. The same as long as the job lives.
  virtual const Caller& caller() const = 0;

  // Past this time the job is dropped with DEADLINE_EXCEEDED, waiting or running.
  virtual absl::Time deadline() const = 0;

  // Called once, when the job is over. `status` is
  //   - OK right after the last capture, even when the batch goes on for other jobs and whatever becomes of it; for a
  //   job
  //     that asks for no captures, after the batch;
  //   - CANCELLED, DEADLINE_EXCEEDED, INTERNAL or RESOURCE_EXHAUSTED (OUT_OF_MEMORY) when the job did not get all its
  //   captures;
  //   - UNAVAILABLE (DRAINING) when the server stops first.
  // Called on the engine's thread, or, for a job that stopped while it waited, on the thread that called the scheduler.
  // So an implementation hands over and returns, and its owner holds no lock over Submit and JobStopped that OnEnd
  // takes.
  virtual void OnEnd(absl::Status status, JobTimings timings) = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_JOB_H_
