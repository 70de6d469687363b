// When the scheduler lets a batch wait for more requests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/server/sched/scheduler_fixture.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

// Jobs that come after a batch of three.
class LingerTest : public SchedulerTest {
 protected:
  LingerTest() { limits_.batch_linger_microseconds = 1000; }

  // Runs one job, then three together, to their ends.
  void RunThreeTogether() {
    Start();
    auto first = Submit(PlanOf(1));
    running_.Await(1);
    auto a = Submit(PlanOf(1));
    auto b = Submit(PlanOf(1));
    auto c = Submit(PlanOf(1));
    clock_.Advance(absl::Milliseconds(10));
    LetAllRun();
    for (auto& job : {first, a, b, c}) {
      EXPECT_TRUE(job->Await().ok());
      job->TakeViews();
    }
    metrics_.AwaitBudgetUsed(0);
    EXPECT_THAT(engine_.batches(), ElementsAre(1, 3));
  }

  absl::Time linger_ends() const { return clock_.Now() + absl::Milliseconds(1); }
};

TEST_F(LingerTest, TheFirstOneBackWaitsForHalfOfThem) {
  RunThreeTogether();
  auto a = Submit(PlanOf(1));
  clock_.AwaitWaiter(linger_ends());
  auto b = Submit(PlanOf(1));  // the clock stands still
  EXPECT_TRUE(a->Await().ok());
  EXPECT_TRUE(b->Await().ok());
  EXPECT_THAT(engine_.batches(), ElementsAre(1, 3, 2));
}

TEST_F(LingerTest, ButNoLongerThanTheLinger) {
  RunThreeTogether();
  auto alone = Submit(PlanOf(1));
  clock_.AwaitWaiter(linger_ends());
  clock_.Advance(absl::Microseconds(999));
  clock_.AwaitWaiter(clock_.Now() + absl::Microseconds(1));
  EXPECT_EQ(alone->done.count(), 0);
  clock_.Advance(absl::Microseconds(1));
  EXPECT_TRUE(alone->Await().ok());
  EXPECT_THAT(metrics_.waits().back(), absl::Milliseconds(1));
}

TEST_F(LingerTest, WhoIsAloneWaitsOnce) {
  RunThreeTogether();
  auto alone = Submit(PlanOf(1));
  clock_.AwaitWaiter(linger_ends());
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(alone->Await().ok());
  alone->TakeViews();
  EXPECT_TRUE(Submit(PlanOf(1))->Await().ok());
}

TEST_F(LingerTest, AFullBatchStartsAtOnce) {
  RunThreeTogether();
  EXPECT_TRUE(Submit(PlanOf(10))->Await().ok());
}

TEST_F(LingerTest, WhoStopsMeanwhileLeaves) {
  RunThreeTogether();
  auto gone = Submit(PlanOf(1));
  clock_.AwaitWaiter(linger_ends());
  gone->stopped = true;
  scheduler_->JobStopped();
  EXPECT_EQ(gone->Await().code(), absl::StatusCode::kCancelled);
}

TEST_F(LingerTest, WhoRunsOutOfTimeMeanwhileLeaves) {
  RunThreeTogether();
  auto late = Submit(PlanOf(1), clock_.Now() + absl::Microseconds(500));
  clock_.AwaitWaiter(clock_.Now() + absl::Microseconds(500));
  clock_.Advance(absl::Microseconds(500));
  EXPECT_EQ(late->Await().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(LingerTest, NobodyWaitsForCompanyThatWouldBeRefused) {
  RunThreeTogether();
  auto last = Submit(PlanOf(1));
  clock_.AwaitWaiter(linger_ends());
  scheduler_->StopAdmitting();
  EXPECT_TRUE(last->Await().ok());
}

}  // namespace
}  // namespace hydrophone
