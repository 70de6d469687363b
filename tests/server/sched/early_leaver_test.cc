// The scheduler and jobs that are done before their batch is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/server/sched/scheduler_fixture.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

// Two jobs in one batch, one of which goes deeper than the other.
class EarlyLeaverTest : public SchedulerTest {
 protected:
  EarlyLeaverTest() {
    engine_.before_capture = [this](size_t index) {
      if (index != 1) return;
      deeper_.Raise();
      go_deeper_.Await();
    };
  }
  ~EarlyLeaverTest() override {
    go_deeper_.Raise();
    scheduler_.reset();  // the engine stands in this object's signals
  }

  // Returns when the engine stands between the shallow one's last capture and the deep one's next.
  void StartBoth() {
    Start();
    auto first = Submit(PlanOf(1));  // what comes while it runs is computed together
    running_.Await(1);
    shallow_ = Submit(PlanOf(2, 1));
    deep_ = Submit(PlanOf(2, 3), clock_.Now() + absl::Seconds(10));
    LetAllRun();
    EXPECT_TRUE(first->Await().ok());
    first->TakeViews();
    deeper_.Await();
  }

  Signal deeper_{"the engine is between the first and the second layer"};
  Signal go_deeper_{"the engine may go deeper"};
  std::shared_ptr<TestJob> shallow_, deep_;
};

TEST_F(EarlyLeaverTest, HearsItsEndWhileTheBatchGoesOn) {
  StartBoth();
  EXPECT_TRUE(shallow_->Await().ok());
  EXPECT_EQ(deep_->done.count(), 0);
  EXPECT_EQ(shallow_->timings().batch_tokens, 4);
  go_deeper_.Raise();
  EXPECT_TRUE(deep_->Await().ok());
  scheduler_->Drain(absl::InfiniteFuture());
  EXPECT_EQ(shallow_->done.count(), 1);
  EXPECT_EQ(shallow_->TakeViews().size(), 1u);
  EXPECT_THAT(engine_.batches(), ElementsAre(1, 2));
}

TEST_F(EarlyLeaverTest, CountsTheTimeUntilItsLastCapture) {
  StartBoth();
  clock_.Advance(absl::Seconds(2));
  go_deeper_.Raise();
  EXPECT_TRUE(deep_->Await().ok());
  EXPECT_EQ(shallow_->timings().computed, absl::ZeroDuration());
  EXPECT_EQ(deep_->timings().computed, absl::Seconds(2));
}

TEST_F(EarlyLeaverTest, GivesItsBudgetBackWhileTheBatchGoesOn) {
  StartBoth();
  EXPECT_TRUE(shallow_->Await().ok());
  shallow_->TakeViews();
  metrics_.AwaitBudgetUsed(96);  // the deep one's
}

TEST_F(EarlyLeaverTest, IsNotTouchedByWhatBecomesOfTheOthers) {
  StartBoth();
  clock_.Advance(absl::Seconds(10));
  go_deeper_.Raise();
  EXPECT_EQ(deep_->Await().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(shallow_->Await().ok());
}

TEST_F(EarlyLeaverTest, IsNotTouchedByTheEnginesFailure) {
  engine_.fails_before_capture = 1;
  engine_.failure = absl::InternalError("out of memory");
  StartBoth();
  go_deeper_.Raise();
  EXPECT_EQ(deep_->Await().code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(shallow_->Await().ok());
  scheduler_->Drain(absl::InfiniteFuture());
  EXPECT_EQ(shallow_->done.count(), 1);
}

}  // namespace
}  // namespace hydrophone
