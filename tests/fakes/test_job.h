// A job that keeps the captures and the status that the scheduler gives it.
#ifndef HYDROPHONE_TESTS_FAKES_TEST_JOB_H_
#define HYDROPHONE_TESTS_FAKES_TEST_JOB_H_

#include <atomic>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/sched/job.h"
#include "tests/fakes/signal.h"

namespace hydrophone {

// A plan of one input of `tokens` tokens, captured whole at `captures` layers. Its capture_bytes is 16 for each
// captured row: four float32.
inline Plan PlanOf(int tokens, int captures = 1) {
  Plan plan;
  plan.runs.push_back({0, std::vector<uint32_t>(static_cast<size_t>(tokens), 7)});
  plan.first_token = {0, tokens};
  for (int layer = 0; layer < captures; ++layer) {
    Capture capture;
    capture.point = {Site::kResidPre, layer};
    capture.runs = {0};
    capture.rows_per_run = {static_cast<uint32_t>(tokens)};
    capture.row_count = tokens;
    capture.row_shape = {4};
    plan.captures.push_back(capture);
  }
  plan.capture_bytes = static_cast<uint64_t>(tokens * captures) * 16;
  return plan;
}

// A plan of one run for each of `tokens`, each a slice of its own with one capture.
inline Plan SlicedPlan(const std::vector<int>& tokens) {
  Plan plan;
  plan.first_token = {0};
  for (const int count : tokens) {
    Plan part = PlanOf(count);
    const auto run = static_cast<uint32_t>(plan.runs.size());
    const size_t capture = plan.captures.size();
    part.captures[0].runs = {run};
    part.captures[0].first_row = plan.first_token.back();
    plan.slices.push_back({run, run + 1, capture, capture + 1, count, part.capture_bytes});
    plan.runs.push_back(part.runs[0]);
    plan.captures.push_back(part.captures[0]);
    plan.first_token.push_back(plan.first_token.back() + count);
    plan.capture_bytes += part.capture_bytes;
  }
  return plan;
}

class TestJob : public Job {
 public:
  explicit TestJob(Plan plan, absl::Time deadline = absl::InfiniteFuture(), Caller caller = {.name = "a caller"})
      : plan_(std::move(plan)), deadline_(deadline), caller_(std::move(caller)) {}

  const Plan& plan() const override { return plan_; }
  const Caller& caller() const override { return caller_; }
  absl::Time deadline() const override { return deadline_; }
  bool Stopped() const override { return stopped; }
  void OnCapture(size_t, TensorView rows) override {
    {
      MutexLock lock(&mutex_);
      views_.push_back(std::move(rows));
    }
    captured.Raise();
  }
  void OnEnd(absl::Status status, JobTimings timings) override {
    {
      MutexLock lock(&mutex_);
      status_ = std::move(status);
      timings_ = timings;
    }
    done.Raise();
  }

  // Waits for OnEnd and returns its status; fails the test when it does not come within 30 s.
  absl::Status Await() {
    done.Await();
    MutexLock lock(&mutex_);
    return status_;
  }
  JobTimings timings() {
    MutexLock lock(&mutex_);
    return timings_;
  }
  std::vector<TensorView> TakeViews() {
    MutexLock lock(&mutex_);
    return std::exchange(views_, {});
  }

  std::atomic<bool> stopped = false;
  Signal captured{"a job got a capture"};
  Signal done{"a job was told its end"};

 private:
  const Plan plan_;
  const absl::Time deadline_;
  const Caller caller_;
  Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_) = absl::UnknownError("the job has not ended");
  JobTimings timings_ ABSL_GUARDED_BY(mutex_);
  std::vector<TensorView> views_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_TEST_JOB_H_
