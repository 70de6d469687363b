// Runs a greedy continuation through the scheduler: each step is one small job.
#ifndef HYDROPHONE_SERVER_RPC_GENERATION_H_
#define HYDROPHONE_SERVER_RPC_GENERATION_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/core/caller.h"
#include "server/core/tensor.h"
#include "server/plan/generation.h"
#include "server/rpc/call_notes.h"
#include "server/rpc/worker_pool.h"
#include "server/sched/job.h"
#include "server/sched/scheduler.h"

namespace hydrophone {

// Keeps itself alive from Start until its end.
//
// clang-format off
//   worker: NextStep, Submit ─► Scheduler ─► engine's thread: captures, OnEnd ─► worker: Take, and again, or `done`
// clang-format on
//
// A step waits in the queue like any other job: between two steps, other requests run, and a full queue ends the
// generation as it refuses a request.
class Generation : public std::enable_shared_from_this<Generation> {
 public:
  struct Call {
    Caller caller;
    absl::Time deadline;
    std::shared_ptr<CallNotes> notes;
    // Called on any thread. After it has returned true, `done` is not called.
    std::function<bool()> stopped;
    // Called once, on a worker or on Start's thread, with the continuations, or with the status of the Job::OnEnd or
    // Scheduler::Submit that ended the generation; without memory for a worker's task, on the engine's thread.
    // Throws nothing.
    std::function<void(absl::StatusOr<Continuations>)> done;
  };

  // The pointers outlive the generation.
  static void Start(GreedyContinuation greedy, Call call, Scheduler* scheduler, WorkerPool* workers);

 private:
  class Step;

  Generation(GreedyContinuation greedy, Call call, Scheduler* scheduler, WorkerPool* workers);

  void SubmitStep();
  // Called on the engine's thread; `likeliest` is what the step captured.
  void StepDone(const absl::Status& status, TensorView likeliest);
  // Called on a worker.
  void AfterStep(const absl::Status& status, const TensorView& likeliest);

  GreedyContinuation greedy_;  // used by one step at a time, so it needs no mutex
  const Call call_;
  Scheduler* const scheduler_;
  WorkerPool* const workers_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_GENERATION_H_
