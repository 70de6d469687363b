#include "server/rpc/generation.h"

#include <cstddef>
#include <utility>

#include "absl/memory/memory.h"
#include "server/core/out_of_memory.h"

namespace hydrophone {

// One step: a forward pass over the inputs and what they have got so far.
class Generation::Step : public Job {
 public:
  explicit Step(std::shared_ptr<Generation> generation)
      : generation_(std::move(generation)), plan_(generation_->greedy_.NextStep()) {}

  const Plan& plan() const override { return plan_; }
  const Caller& caller() const override { return generation_->call_.caller; }
  absl::Time deadline() const override { return generation_->call_.deadline; }
  bool Stopped() const override { return generation_->call_.stopped(); }
  void OnCapture(size_t, TensorView values) override { likeliest_ = std::move(values); }
  void OnEnd(absl::Status status, JobTimings timings) override {
    generation_->call_.notes->JobEnded(status, timings);
    generation_->StepDone(status, std::move(likeliest_));
  }

 private:
  const std::shared_ptr<Generation> generation_;
  const Plan plan_;
  TensorView likeliest_;  // the step's only capture
};

Generation::Generation(GreedyContinuation greedy, Call call, Scheduler* scheduler, WorkerPool* workers)
    : greedy_(std::move(greedy)), call_(std::move(call)), scheduler_(scheduler), workers_(workers) {}

void Generation::Start(GreedyContinuation greedy, Call call, Scheduler* scheduler, WorkerPool* workers) {
  std::shared_ptr<Generation> generation =
      absl::WrapUnique(new Generation(std::move(greedy), std::move(call), scheduler, workers));
  generation->SubmitStep();
}

void Generation::SubmitStep() {
  if (greedy_.done()) {
    return call_.done(OrOutOfMemory([this]() -> absl::StatusOr<Continuations> { return greedy_.continuations(); }));
  }
  absl::Status submitted =
      OrOutOfMemory([this] { return scheduler_->Submit(std::make_shared<Step>(shared_from_this())); });
  if (!submitted.ok() && !call_.stopped()) call_.done(std::move(submitted));
}

void Generation::StepDone(const absl::Status& status, TensorView likeliest) {
  if (call_.stopped()) return;
  absl::Status handed_over = OrOutOfMemory([&] {
    workers_->AddStep(
        [self = shared_from_this(), status, likeliest = std::move(likeliest)] { self->AfterStep(status, likeliest); });
  });
  if (!handed_over.ok()) call_.done(std::move(handed_over));
}

void Generation::AfterStep(const absl::Status& status, const TensorView& likeliest) {
  if (call_.stopped()) return;
  absl::Status taken = status;
  if (taken.ok()) taken = OrOutOfMemory([&] { return greedy_.Take(likeliest.floats()); });
  if (!taken.ok()) return call_.done(std::move(taken));
  SubmitStep();
}

}  // namespace hydrophone
