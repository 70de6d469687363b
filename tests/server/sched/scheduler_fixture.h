// A scheduler over fakes. Its engine waits in every Run until the test lets the Run go on.
#ifndef HYDROPHONE_TESTS_SERVER_SCHED_SCHEDULER_FIXTURE_H_
#define HYDROPHONE_TESTS_SERVER_SCHED_SCHEDULER_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "server/sched/scheduler.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_engine.h"
#include "tests/fakes/fake_metrics.h"
#include "tests/fakes/signal.h"
#include "tests/fakes/test_job.h"

namespace hydrophone {

class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest() {
    limits_.max_batch_tokens = 10;
    limits_.slice_tokens = 10;
    limits_.short_tokens = 0;
    limits_.max_queued_requests = 3;
    limits_.response_budget_bytes = 160;  // what ten captured tokens hold
    limits_.batch_linger_microseconds = 0;
    engine_.on_run = [this] {
      running_.Raise();
      go_.Await(running_.count());
    };
  }
  ~SchedulerTest() override {
    for (int i = 0; i < 100; ++i) go_.Raise();
  }

  void Start() { scheduler_ = std::make_unique<Scheduler>(&engine_, limits_, &clock_, &metrics_); }
  void LetAllRun() {
    for (int i = 0; i < 100; ++i) go_.Raise();
  }
  std::shared_ptr<TestJob> Submit(Plan plan, absl::Time deadline = absl::InfiniteFuture()) {
    auto job = std::make_shared<TestJob>(std::move(plan), deadline);
    EXPECT_TRUE(scheduler_->Submit(job).ok());
    return job;
  }
  absl::Status Refusal(Plan plan) {
    auto job = std::make_shared<TestJob>(std::move(plan));
    absl::Status status = scheduler_->Submit(job);
    EXPECT_EQ(job->done.count(), 0) << "a refused job is not told again";
    return status;
  }

  Signal running_{"a Run began"};
  Signal go_{"a Run may go on"};  // Run number n waits for the n-th
  Limits limits_;
  FakeClock clock_;
  FakeMetrics metrics_;
  FakeEngine engine_;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_SERVER_SCHED_SCHEDULER_FIXTURE_H_
