// Jobs that are computed slice by slice, and callers that take turns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/core/errors.h"
#include "server/sched/job_queue.h"
#include "tests/fakes/fake_metrics.h"
#include "tests/fakes/test_job.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A batch has ten rows, a short slice two at most; the budget is for a hundred tokens.
class JobQueueSlicesTest : public testing::Test {
 protected:
  std::shared_ptr<TestJob> Push(const std::string& caller, Plan plan, absl::Time deadline = absl::InfiniteFuture()) {
    auto job = std::make_shared<TestJob>(std::move(plan), deadline, Caller{caller});
    queue_.Push(job, now_);
    return job;
  }

  static std::vector<std::string> Callers(const std::vector<Admitted>& batch) {
    std::vector<std::string> callers;
    for (const Admitted& admitted : batch) callers.push_back(admitted.job->caller().name);
    return callers;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  FakeMetrics metrics_;
  std::shared_ptr<ResponseBudget> budget_ = std::make_shared<ResponseBudget>(1600, &metrics_);
  JobQueue queue_{TenRows(), budget_.get(), &metrics_};

 private:
  static Limits TenRows() {
    Limits limits;
    limits.max_batch_tokens = 50;
    limits.slice_tokens = 10;
    limits.short_tokens = 2;
    limits.max_queue_seconds = 60;
    return limits;
  }
};

TEST_F(JobQueueSlicesTest, AJobWithoutSlicesIsItsOwnPlan) {
  auto job = Push("a", PlanOf(4));
  const std::vector<Admitted> batch = queue_.TakeBatch();
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch[0].plan.get(), &job->plan());
  EXPECT_TRUE(batch[0].last);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(JobQueueSlicesTest, SlicesComeOneAfterAnother) {
  auto job = Push("a", SlicedPlan({10, 10, 3}));
  EXPECT_EQ(queue_.rows(), 23);
  std::vector<int64_t> tokens;
  for (size_t slice = 0; slice < 3; ++slice) {
    const std::vector<Admitted> batch = queue_.TakeBatch();
    ASSERT_EQ(batch.size(), 1u);
    tokens.push_back(batch[0].plan->tokens());
    EXPECT_EQ(batch[0].first_capture, slice);
    EXPECT_EQ(batch[0].last, slice == 2);
    EXPECT_THAT(queue_.TakeBatch(), IsEmpty()) << "the next slice waits for the end of this one";
    if (slice < 2) {
      EXPECT_EQ(queue_.SliceDone(*job, false), nullptr);
    }
  }
  EXPECT_THAT(tokens, ElementsAre(10, 10, 3));
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.rows(), 0);
}

TEST_F(JobQueueSlicesTest, CallersTakeTurnsSliceBySlice) {
  auto a = Push("a", SlicedPlan({10, 10, 10}));
  auto b = Push("b", SlicedPlan({10, 10}));
  auto c = Push("c", PlanOf(10));
  std::vector<std::string> order;
  while (!queue_.empty()) {
    const std::vector<Admitted> batch = queue_.TakeBatch();
    ASSERT_EQ(batch.size(), 1u);
    order.push_back(Callers(batch)[0]);
    if (!batch[0].last) queue_.SliceDone(*batch[0].job, false);
  }
  EXPECT_THAT(order, ElementsAre("a", "b", "c", "a", "b", "a"));
}

TEST_F(JobQueueSlicesTest, ACallersJobsComeInTheirOrder) {
  auto first = Push("a", SlicedPlan({10, 10}));
  auto second = Push("a", PlanOf(10));
  std::vector<const Job*> order;
  while (!queue_.empty()) {
    const std::vector<Admitted> batch = queue_.TakeBatch();
    ASSERT_EQ(batch.size(), 1u);
    order.push_back(batch[0].job.get());
    if (!batch[0].last) queue_.SliceDone(*batch[0].job, false);
  }
  EXPECT_THAT(order, ElementsAre(first.get(), first.get(), second.get()));
}

TEST_F(JobQueueSlicesTest, AReaderThatLagsTwoSlicesBehindIsPassedOver) {
  auto job = Push("a", SlicedPlan({10, 10, 10}));
  std::vector<Admitted> first = queue_.TakeBatch();
  queue_.SliceDone(*job, false);
  std::vector<Admitted> second = queue_.TakeBatch();
  queue_.SliceDone(*job, false);
  EXPECT_FALSE(queue_.ready());
  EXPECT_THAT(queue_.TakeBatch(), IsEmpty());

  auto view = first[0].lease->Split(16);  // one capture of the first slice is still being sent
  first.clear();
  EXPECT_FALSE(queue_.ready());
  view.reset();
  EXPECT_TRUE(queue_.ready());
  EXPECT_THAT(Callers(queue_.TakeBatch()), ElementsAre("a"));
}

TEST_F(JobQueueSlicesTest, AJobThatEndedInASliceLeaves) {
  auto job = Push("a", SlicedPlan({10, 10}));
  queue_.TakeBatch();
  EXPECT_EQ(queue_.SliceDone(*job, true), job);
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.rows(), 0);
}

TEST_F(JobQueueSlicesTest, AJobWithARunningSliceIsNotDropped) {
  auto job = Push("a", SlicedPlan({10, 10}), now_ + absl::Seconds(1));
  queue_.TakeBatch();
  now_ += absl::Seconds(2);
  EXPECT_THAT(queue_.TakeStopped(now_, true), IsEmpty());
  queue_.SliceDone(*job, false);
  EXPECT_EQ(queue_.soonest_deadline(), now_ - absl::Seconds(1));
  const std::vector<Dropped> dropped = queue_.TakeStopped(now_, false);
  ASSERT_EQ(dropped.size(), 1u);
  EXPECT_EQ(dropped[0].why.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(JobQueueSlicesTest, AJobThatGetsNoTurnIsRefusedInTheEnd) {
  Push("a", PlanOf(1));
  EXPECT_EQ(queue_.soonest_deadline(), now_ + absl::Seconds(60));
  EXPECT_THAT(queue_.TakeStopped(now_ + absl::Seconds(59), false), IsEmpty());
  const std::vector<Dropped> dropped = queue_.TakeStopped(now_ + absl::Seconds(60), false);
  ASSERT_EQ(dropped.size(), 1u);
  EXPECT_EQ(dropped[0].why.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(RetryAfterOf(dropped[0].why).has_value());
}

TEST_F(JobQueueSlicesTest, ShortSlicesAndLongOnesAreNotComputedTogether) {
  Push("a", PlanOf(2));
  Push("b", PlanOf(5));
  Push("c", PlanOf(1));
  EXPECT_THAT(Callers(queue_.TakeBatch()), ElementsAre("a", "c"));
  EXPECT_THAT(Callers(queue_.TakeBatch()), ElementsAre("b"));
}

TEST_F(JobQueueSlicesTest, AShortBatchTakesShortSlicesAlone) {
  Push("a", PlanOf(5));
  EXPECT_THAT(queue_.TakeShortBatch(), IsEmpty());
  Push("a", PlanOf(1));
  Push("b", PlanOf(1));
  Push("c", PlanOf(1));
  EXPECT_THAT(Callers(queue_.TakeShortBatch()), ElementsAre("a", "b")) << "as many rows as one of them may have";
}

}  // namespace
}  // namespace hydrophone
