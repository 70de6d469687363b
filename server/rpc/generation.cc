#include "server/rpc/generation.h"

#include <cstddef>
#include <utility>

#include "absl/memory/memory.h"

namespace hydrophone {

// One step: a forward pass over the inputs and what they have got so far.
class Generation::Step : public Job {
 public:
  explicit Step(std::shared_ptr<Generation> generation)
      : generation_(std::move(generation)), plan_(generation_->greedy_.NextStep()) {}

  const Plan& plan() const override { return plan_; }
  absl::Time deadline() const override { return generation_->caller_.deadline; }
  bool Stopped() const override { return generation_->caller_.stopped(); }
  void OnCapture(size_t, TensorView values) override { likeliest_ = std::move(values); }
  void OnEnd(absl::Status status, JobTimings) override {
    generation_->StepDone(std::move(status), std::move(likeliest_));
  }

 private:
  const std::shared_ptr<Generation> generation_;
  const Plan plan_;
  TensorView likeliest_;  // the step's only capture
};

Generation::Generation(GreedyContinuation greedy, Caller caller, Scheduler* scheduler, WorkerPool* workers)
    : greedy_(std::move(greedy)), caller_(std::move(caller)), scheduler_(scheduler), workers_(workers) {}

void Generation::Start(GreedyContinuation greedy, Caller caller, Scheduler* scheduler, WorkerPool* workers) {
  std::shared_ptr<Generation> generation =
      absl::WrapUnique(new Generation(std::move(greedy), std::move(caller), scheduler, workers));
  generation->SubmitStep();
}

void Generation::SubmitStep() {
  if (greedy_.done()) return caller_.done(greedy_.continuations());
  absl::Status submitted = scheduler_->Submit(std::make_shared<Step>(shared_from_this()));
  if (!submitted.ok() && !caller_.stopped()) caller_.done(std::move(submitted));
}

void Generation::StepDone(absl::Status status, TensorView likeliest) {
  if (caller_.stopped()) return;
  workers_->AddStep([self = shared_from_this(), status = std::move(status), likeliest = std::move(likeliest)] {
    self->AfterStep(status, likeliest);
  });
}

void Generation::AfterStep(const absl::Status& status, const TensorView& likeliest) {
  if (caller_.stopped()) return;
  absl::Status taken = status;
  if (taken.ok()) taken = greedy_.Take(likeliest.floats());
  if (!taken.ok()) return caller_.done(std::move(taken));
  SubmitStep();
}

}  // namespace hydrophone
