// Short jobs that overtake a long batch, and jobs that are computed slice by slice.
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "tests/server/sched/scheduler_fixture.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

// A long batch takes a second between two captures. Short jobs have up to two tokens.
class OvertakingTest : public SchedulerTest {
 protected:
  OvertakingTest() {
    limits_.short_tokens = 2;
    limits_.response_budget_bytes = 16000;
    engine_.on_run = [] {};
    engine_.on_batch = [this](absl::Span<const BatchMember> batch) {
      if (!runs_.empty() && runs_[0] == 10) ++overtakers_;  // not those of a batch of short ones
      runs_.push_back(batch[0].plan->tokens());
      ran_.push_back(runs_.back());
      clock_.Advance(short_time_);
    };
    engine_.after_captures = [this] { runs_.pop_back(); };
    engine_.before_capture = [this](size_t index) {
      if (runs_.back() <= 2) return;
      clock_.Advance(absl::Seconds(1));
      if (index == 0) {
        running_.Raise();
        go_.Await(1);
      }
    };
  }

  std::vector<int64_t> ran_;   // the tokens of each batch's first member
  std::vector<int64_t> runs_;  // of the runs under way, the overtaken one first
  int overtakers_ = 0;
  absl::Duration short_time_ = absl::Milliseconds(10);
};

TEST_F(OvertakingTest, AShortJobRunsBetweenPiecesOfALongOne) {
  Start();
  auto slow = Submit(PlanOf(10, 4));
  running_.Await(1);
  auto quick = Submit(PlanOf(2));
  go_.Raise();
  EXPECT_TRUE(quick->Await().ok());
  EXPECT_TRUE(slow->Await().ok());
  EXPECT_THAT(ran_, ElementsAre(10, 2));
  EXPECT_EQ(quick->TakeViews().size(), 1u);
  EXPECT_EQ(slow->TakeViews().size(), 4u);
}

TEST_F(OvertakingTest, AnotherLongJobDoesNotOvertake) {
  Start();
  auto first = Submit(PlanOf(10, 4));
  running_.Await(1);
  auto second = Submit(PlanOf(9));
  go_.Raise();
  EXPECT_TRUE(first->Await().ok());
  EXPECT_TRUE(second->Await().ok());
  EXPECT_GT(first->timings().computed, absl::Seconds(3));
  EXPECT_THAT(ran_, ElementsAre(10, 9));
}

TEST_F(OvertakingTest, ALongBatchIsOvertakenForHalfOfTheTimeAtMost) {
  short_time_ = absl::Seconds(3);
  limits_.max_queued_requests = 20;
  Start();
  auto slow = Submit(PlanOf(10, 8));
  running_.Await(1);
  std::vector<std::shared_ptr<TestJob>> quick;
  for (int i = 0; i < 10; ++i) quick.push_back(Submit(PlanOf(2)));
  go_.Raise();
  EXPECT_TRUE(slow->Await().ok());
  for (const auto& each : quick) EXPECT_TRUE(each->Await().ok());
  // It takes three seconds at its start and then one for each capture, and is overtaken while it has taken at least as
  // long as those that overtook it: after 4, 5, and 6 seconds of its own, and again after 9.
  EXPECT_EQ(overtakers_, 4);
}

TEST_F(OvertakingTest, ABatchOfShortJobsIsNotOvertaken) {
  limits_.max_queued_requests = 20;
  std::shared_ptr<TestJob> late;
  int under_way = 0, most_under_way = 0;
  engine_.on_batch = [&](absl::Span<const BatchMember> batch) {
    most_under_way = std::max(most_under_way, ++under_way);
    if (batch.size() == 3) late = Submit(PlanOf(1));
    if (running_.count() > 0) return;
    running_.Raise();
    go_.Await(1);
  };
  engine_.before_capture = [](size_t) {};
  engine_.after_captures = [&] { --under_way; };
  Start();
  auto first = Submit(PlanOf(1));
  running_.Await(1);
  std::vector<std::shared_ptr<TestJob>> together;
  for (int i = 0; i < 3; ++i) together.push_back(Submit(PlanOf(1)));
  go_.Raise();
  for (const auto& each : together) EXPECT_TRUE(each->Await().ok());
  ASSERT_NE(late, nullptr) << "the three were not computed together";
  EXPECT_TRUE(late->Await().ok());
  EXPECT_EQ(most_under_way, 1);
}

TEST_F(OvertakingTest, AJobIsToldItsEndAfterItsLastSlice) {
  Start();
  go_.Raise();
  auto job = Submit(SlicedPlan({10, 2}));
  EXPECT_TRUE(job->Await().ok());
  EXPECT_THAT(ran_, ElementsAre(10, 2));
  const std::vector<TensorView> views = job->TakeViews();
  ASSERT_EQ(views.size(), 2u);
  EXPECT_EQ(views[1].shape[0], 2);
  EXPECT_EQ(job->done.count(), 1);
}

TEST_F(OvertakingTest, AJobThatStopsBetweenSlicesIsNotComputedFurther) {
  Start();
  auto job = Submit(SlicedPlan({10, 10, 10}));
  running_.Await(1);
  job->stopped = true;
  go_.Raise();
  EXPECT_EQ(job->Await().code(), absl::StatusCode::kCancelled);
  scheduler_->Drain(absl::InfiniteFuture());
  EXPECT_THAT(ran_, ElementsAre(10));
}

TEST_F(OvertakingTest, AnErrorInASliceEndsTheJob) {
  engine_.fails_before_capture = 0;
  engine_.failure = absl::InternalError("broken");
  Start();
  go_.Raise();
  auto job = Submit(SlicedPlan({10, 10}));
  EXPECT_EQ(job->Await().code(), absl::StatusCode::kInternal);
  scheduler_->Drain(absl::InfiniteFuture());
  EXPECT_THAT(ran_, ElementsAre(10));
  EXPECT_EQ(job->done.count(), 1);
}

TEST_F(OvertakingTest, TheNextSliceWaitsForTheReader) {
  Start();
  go_.Raise();
  auto job = Submit(SlicedPlan({10, 10, 10}));
  job->captured.Await(2);
  EXPECT_EQ(job->done.count(), 0) << "two slices are unsent";
  job->TakeViews();
  EXPECT_TRUE(job->Await().ok());
  EXPECT_THAT(ran_, ElementsAre(10, 10, 10));
}

TEST_F(OvertakingTest, ASliceThatCanNeverFitIsRefused) {
  Start();
  EXPECT_EQ(Refusal(SlicedPlan({10, 11})).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hydrophone
