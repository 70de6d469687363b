#include "server/sched/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "server/core/errors.h"
#include "tests/server/sched/scheduler_fixture.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

TEST_F(SchedulerTest, GivesAJobEveryCaptureThenOk) {
  LetAllRun();
  Start();
  auto job = Submit(PlanOf(2, 3));
  EXPECT_TRUE(job->Await().ok());
  auto views = job->TakeViews();
  ASSERT_EQ(views.size(), 3u);
  EXPECT_EQ(views[1].floats()[0], FakeEngine::Value({Site::kResidPre, 1}, 7, 0));
  EXPECT_EQ(job->timings().batch_tokens, 2);
}

TEST_F(SchedulerTest, PacksWhatWaitsIntoBatchesInOrder) {
  Start();
  auto first = Submit(PlanOf(1));
  running_.Await(1);
  auto a = Submit(PlanOf(6));
  auto b = Submit(PlanOf(3));
  auto c = Submit(PlanOf(2));  // does not fit beside the two before it
  LetAllRun();
  for (auto& job : {first, a, b}) {
    EXPECT_TRUE(job->Await().ok());
    job->TakeViews();
  }
  EXPECT_TRUE(c->Await().ok());
  scheduler_->Drain(absl::InfiniteFuture());  // a job hears its end before its batch is counted
  EXPECT_THAT(engine_.batches(), ElementsAre(1, 2, 1));
  EXPECT_THAT(metrics_.batch_tokens(), ElementsAre(1, 9, 2));
}

TEST_F(SchedulerTest, TellsHowLongAJobWaited) {
  Start();
  auto first = Submit(PlanOf(1));
  running_.Await(1);
  auto second = Submit(PlanOf(1));
  clock_.Advance(absl::Seconds(3));
  LetAllRun();
  EXPECT_TRUE(second->Await().ok());
  EXPECT_EQ(second->timings().queued, absl::Seconds(3));
  EXPECT_EQ(first->timings().computed, absl::Seconds(3));
  EXPECT_THAT(metrics_.waits(), ElementsAre(absl::ZeroDuration(), absl::Seconds(3)));
}

TEST_F(SchedulerTest, RefusesWhenTheQueueIsFullAndSaysWhenToRetry) {
  Start();
  auto running = Submit(PlanOf(1));
  running_.Await(1);
  for (int i = 0; i < 3; ++i) Submit(PlanOf(1));
  absl::Status refusal = Refusal(PlanOf(1));
  EXPECT_EQ(refusal.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refusal), "OVERLOADED");
  EXPECT_GE(RetryAfterOf(refusal).value_or(absl::ZeroDuration()), absl::Milliseconds(100));
}

TEST_F(SchedulerTest, AStoppedJobInAFullQueueMakesRoom) {
  Start();
  Submit(PlanOf(1));
  running_.Await(1);
  auto gone = Submit(PlanOf(1));
  Submit(PlanOf(1));
  Submit(PlanOf(1));
  gone->stopped = true;
  scheduler_->JobStopped();
  Submit(PlanOf(1));
  EXPECT_EQ(gone->Await().code(), absl::StatusCode::kCancelled);
}

TEST_F(SchedulerTest, AJobWhoseDeadlinePassedInAFullQueueMakesRoom) {
  Start();
  Submit(PlanOf(1));
  running_.Await(1);
  auto late = Submit(PlanOf(1), clock_.Now() + absl::Seconds(1));
  Submit(PlanOf(1));
  Submit(PlanOf(1));
  clock_.Advance(absl::Seconds(1));
  Submit(PlanOf(1));
  EXPECT_EQ(late->Await().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(SchedulerTest, RefusesWhatCanNeverFit) {
  Start();
  EXPECT_EQ(ReasonOf(Refusal(PlanOf(11))), "TOO_LARGE");
  EXPECT_EQ(ReasonOf(Refusal(PlanOf(6, 2))), "TOO_LARGE");
}

TEST_F(SchedulerTest, HoldsACapturesBytesUntilItsLastViewIsGone) {
  LetAllRun();
  Start();
  auto job = Submit(PlanOf(2, 2));
  EXPECT_TRUE(job->Await().ok());
  auto views = job->TakeViews();
  EXPECT_EQ(metrics_.budget_used(), 64u);
  TensorView part = views[0].Rows(1, 1);
  views.clear();
  EXPECT_EQ(metrics_.budget_used(), 32u);
  part = TensorView();
  EXPECT_EQ(metrics_.budget_used(), 0u);
}

TEST_F(SchedulerTest, AJobThatWaitsForTheBudgetRunsWhenItIsFree) {
  LetAllRun();
  Start();
  auto holder = Submit(PlanOf(4));
  EXPECT_TRUE(holder->Await().ok());
  auto large = Submit(PlanOf(8));
  auto equal = Submit(PlanOf(8));  // would not fit beside it, and does not overtake
  metrics_.AwaitQueueDepth(2);
  EXPECT_EQ(large->done.count(), 0);
  holder->TakeViews();
  EXPECT_TRUE(large->Await().ok());
  EXPECT_EQ(equal->done.count(), 0);
  large->TakeViews();
  EXPECT_TRUE(equal->Await().ok());
}

TEST_F(SchedulerTest, AReaderWhoNeverReadsStopsNobodyForWhomThereIsRoom) {
  LetAllRun();
  Start();
  auto never_reads = Submit(PlanOf(4));
  EXPECT_TRUE(never_reads->Await().ok());
  auto large = Submit(PlanOf(8));  // needs the bytes that never_reads holds
  for (int i = 0; i < 50; ++i) {
    auto small = Submit(PlanOf(2));
    EXPECT_TRUE(small->Await().ok());
    small->TakeViews();
  }
  EXPECT_EQ(large->done.count(), 0);
  never_reads->TakeViews();
  EXPECT_TRUE(large->Await().ok());
}

TEST_F(SchedulerTest, AViewMayOutliveTheScheduler) {
  LetAllRun();
  Start();
  auto job = Submit(PlanOf(2));
  EXPECT_TRUE(job->Await().ok());
  scheduler_.reset();
  EXPECT_EQ(metrics_.budget_used(), 32u);
  job->TakeViews();
  EXPECT_EQ(metrics_.budget_used(), 0u);
}

TEST_F(SchedulerTest, ADeadlineEndsAJobThatWaitsForTheBudget) {
  LetAllRun();
  Start();
  auto holder = Submit(PlanOf(10));
  EXPECT_TRUE(holder->Await().ok());
  absl::Time deadline = clock_.Now() + absl::Seconds(1);
  auto late = Submit(PlanOf(1), deadline);
  clock_.AwaitWaiter(deadline);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(late->Await().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(engine_.batches().size(), 1u);
}

TEST_F(SchedulerTest, ADeadlineEndsARunningJobAtTheNextLayer) {
  LetAllRun();
  engine_.before_capture = [&](size_t index) {
    if (index == 1) clock_.Advance(absl::Seconds(5));
  };
  Start();
  auto job = Submit(PlanOf(1, 3), clock_.Now() + absl::Seconds(1));
  EXPECT_EQ(job->Await().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(job->TakeViews().size(), 1u);
}

TEST_F(SchedulerTest, ADeadlineAfterTheLastCaptureIsNoFailure) {
  LetAllRun();
  engine_.after_captures = [&] { clock_.Advance(absl::Seconds(5)); };
  Start();
  auto job = Submit(PlanOf(1, 1), clock_.Now() + absl::Seconds(1));
  EXPECT_TRUE(job->Await().ok());
}

TEST_F(SchedulerTest, AStoppedJobGetsNothingMoreAndOthersGoOn) {
  LetAllRun();
  std::shared_ptr<TestJob> leaving;
  engine_.before_capture = [&](size_t index) {
    if (index == 2) leaving->stopped = true;
  };
  leaving = std::make_shared<TestJob>(PlanOf(1, 3));
  auto staying = std::make_shared<TestJob>(PlanOf(1, 3));
  Start();
  ASSERT_TRUE(scheduler_->Submit(leaving).ok());
  ASSERT_TRUE(scheduler_->Submit(staying).ok());
  EXPECT_EQ(leaving->Await().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(leaving->TakeViews().size(), 2u);
  EXPECT_TRUE(staying->Await().ok());
  EXPECT_EQ(staying->TakeViews().size(), 3u);
}

TEST_F(SchedulerTest, AWaitingJobThatStoppedIsToldWhileTheEngineIsBusy) {
  Start();
  Submit(PlanOf(1));
  running_.Await(1);
  auto gone = Submit(PlanOf(1));
  gone->stopped = true;
  scheduler_->JobStopped();
  EXPECT_EQ(gone->Await().code(), absl::StatusCode::kCancelled);
}

TEST_F(SchedulerTest, AJobThatStoppedBeforeItWasSubmittedNeverWaits) {
  Start();
  Submit(PlanOf(1));
  running_.Await(1);
  auto gone = std::make_shared<TestJob>(PlanOf(1));
  gone->stopped = true;
  scheduler_->JobStopped();
  EXPECT_TRUE(scheduler_->Submit(gone).ok());
  EXPECT_EQ(gone->Await().code(), absl::StatusCode::kCancelled);
}

TEST_F(SchedulerTest, AnEngineWithoutMemoryExhaustsTheJobsResources) {
  LetAllRun();
  engine_.result = OutOfMemory();
  Start();
  auto job = Submit(PlanOf(1));
  EXPECT_EQ(ReasonOf(job->Await()), "OUT_OF_MEMORY");
  EXPECT_EQ(metrics_.budget_used(), 0u);
}

TEST_F(SchedulerTest, AnEnginesFailureIsInternal) {
  LetAllRun();
  engine_.result = absl::UnknownError("broken");
  Start();
  auto job = Submit(PlanOf(1));
  absl::Status status = job->Await();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "broken");
  EXPECT_EQ(metrics_.budget_used(), 0u);
}

TEST_F(SchedulerTest, ACaptureThatTheEngineForgotIsInternal) {
  LetAllRun();
  engine_.captures_held_back = 1;
  Start();
  EXPECT_EQ(Submit(PlanOf(1, 2))->Await().code(), absl::StatusCode::kInternal);
}

TEST_F(SchedulerTest, AJobWithoutCapturesIsDoneWithTheBatch) {
  Start();
  auto job = Submit(PlanOf(1, 0));
  running_.Await(1);
  EXPECT_EQ(job->done.count(), 0);
  LetAllRun();
  EXPECT_TRUE(job->Await().ok());
}

TEST_F(SchedulerTest, DrainLetsTheQueueFinishAndRefusesNewJobs) {
  Start();
  auto running = Submit(PlanOf(8));
  running_.Await(1);
  auto waiting = Submit(PlanOf(2));
  scheduler_->StopAdmitting();
  EXPECT_EQ(ReasonOf(Refusal(PlanOf(1))), "DRAINING");
  LetAllRun();
  scheduler_->Drain(absl::InfiniteFuture());
  EXPECT_TRUE(running->Await().ok());
  EXPECT_TRUE(waiting->Await().ok());
}

TEST_F(SchedulerTest, DrainDropsWhatIsNotDoneInTime) {
  Start();
  auto running = Submit(PlanOf(8));
  running_.Await(1);
  auto waiting = Submit(PlanOf(8));
  absl::Time patience = clock_.Now() + absl::Seconds(10);
  std::thread drain([&] { scheduler_->Drain(patience); });
  clock_.AwaitWaiter(patience);
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(ReasonOf(waiting->Await()), "DRAINING");
  LetAllRun();
  drain.join();
  EXPECT_EQ(ReasonOf(running->Await()), "DRAINING");
}

TEST_F(SchedulerTest, ManySubmittersAndLeaversKeepTheBudgetStraight) {
  engine_.on_run = [] {};
  limits_.max_queued_requests = 1000;
  Start();
  std::vector<std::thread> threads;
  std::atomic<int> ended = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        auto job = std::make_shared<TestJob>(PlanOf(1 + (i + t) % 5));
        ASSERT_TRUE(scheduler_->Submit(job).ok());
        if (i % 3 == 0) {
          job->stopped = true;
          scheduler_->JobStopped();
        }
        job->Await().IgnoreError();
        job->TakeViews();
        ++ended;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, 400);
  EXPECT_EQ(metrics_.budget_used(), 0u);
}

}  // namespace
}  // namespace hydrophone
