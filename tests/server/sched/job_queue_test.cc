#include "server/sched/job_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/fake_metrics.h"
#include "tests/fakes/test_job.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A batch takes ten tokens, and the budget the captures of ten tokens. Jobs have names; a job that was taken holds its
// bytes until LetGo.
class JobQueueTest : public testing::Test {
 protected:
  std::shared_ptr<TestJob> Push(const std::string& name, int tokens, absl::Time deadline = absl::InfiniteFuture()) {
    auto job = std::make_shared<TestJob>(PlanOf(tokens), deadline);
    names_[job.get()] = name;
    queue_.Push(job, now_);
    return job;
  }

  // The next batch's names, in order.
  std::vector<std::string> Take() {
    std::vector<std::string> names;
    for (Admitted& admitted : queue_.TakeBatch()) {
      names.push_back(names_[admitted.job.get()]);
      taken_[names.back()] = std::move(admitted);
    }
    return names;
  }

  void LetGo(const std::string& name) { taken_.erase(name); }

  std::vector<std::string> TakeStopped(bool out_of_patience = false) {
    std::vector<std::string> names;
    for (const Dropped& dropped : queue_.TakeStopped(now_, out_of_patience)) names.push_back(names_[dropped.job.get()]);
    return names;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  FakeMetrics metrics_;
  std::shared_ptr<ResponseBudget> budget_ = std::make_shared<ResponseBudget>(160, &metrics_);
  JobQueue queue_{TenTokens(), budget_.get(), &metrics_};
  std::map<const Job*, std::string> names_;
  std::map<std::string, Admitted> taken_;

 private:
  static Limits TenTokens() {
    Limits limits;
    limits.max_batch_tokens = 10;
    limits.slice_tokens = 10;
    limits.short_tokens = 0;
    limits.max_queued_requests = 3;
    return limits;
  }
};

TEST_F(JobQueueTest, TakesFromTheFrontUntilOneDoesNotFit) {
  Push("a", 6);
  Push("b", 3);
  Push("c", 2);
  EXPECT_TRUE(queue_.full());
  EXPECT_EQ(queue_.rows(), 11);
  EXPECT_THAT(Take(), ElementsAre("a", "b"));
  EXPECT_EQ(queue_.rows(), 2);
  LetGo("a");
  EXPECT_THAT(Take(), ElementsAre("c"));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(JobQueueTest, WhoWaitsForTheBudgetIsPassedByThoseWhoLeaveItItsShare) {
  Push("holder", 4);
  Take();
  Push("large", 8);
  Push("small", 2);
  Push("too much beside it", 1);
  EXPECT_THAT(Take(), ElementsAre("small"));
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(JobQueueTest, WhoPassedAndLetGoMakesRoomToPassAgain) {
  Push("holder", 4);
  Take();
  Push("large", 8);
  for (int i = 0; i < 100; ++i) {
    Push("small", 2);
    EXPECT_THAT(Take(), ElementsAre("small"));
    LetGo("small");
  }
}

TEST_F(JobQueueTest, ALargeJobRunsAsSoonAsThoseBeforeItLetGo) {
  Push("holder", 4);
  Take();
  Push("large", 8);
  for (const char* name : {"small", "smaller"}) {
    Push(name, 1);
    EXPECT_THAT(Take(), ElementsAre(name));
  }
  Push("another", 1);
  EXPECT_THAT(Take(), IsEmpty()) << "two tokens' bytes are all that is beside the large one";
  LetGo("holder");
  EXPECT_THAT(Take(), ElementsAre("large")) << "though the small ones hold theirs still";
}

TEST_F(JobQueueTest, TheNextOneThatWaitsIsGuardedInItsTurn) {
  Push("holder", 4);
  Take();
  Push("large", 8);
  Push("larger", 9);
  Push("small", 2);
  EXPECT_THAT(Take(), ElementsAre("small"));
  LetGo("holder");
  EXPECT_THAT(Take(), ElementsAre("large"));
  Push("one", 1);
  EXPECT_THAT(Take(), IsEmpty()) << "nothing is free";
  LetGo("small");
  EXPECT_THAT(Take(), ElementsAre("one"));
  Push("too much beside the larger", 1);
  EXPECT_THAT(Take(), IsEmpty());
  LetGo("large");
  EXPECT_THAT(Take(), ElementsAre("larger"));
}

TEST_F(JobQueueTest, WhoWaitsForTheBudgetAndLeavesGuardsNothingAnyMore) {
  Push("holder", 4);
  Take();
  auto large = Push("large", 10);
  Push("small", 6);
  EXPECT_THAT(Take(), IsEmpty()) << "the large one needs all there is";
  large->stopped = true;
  EXPECT_THAT(TakeStopped(), ElementsAre("large"));
  EXPECT_THAT(Take(), ElementsAre("small"));
}

TEST_F(JobQueueTest, WhoStoppedOrIsLateLeaves) {
  auto gone = Push("gone", 1);
  Push("late", 1, now_ + absl::Seconds(1));
  Push("staying", 1, now_ + absl::Seconds(5));
  EXPECT_EQ(queue_.soonest_deadline(), now_ + absl::Seconds(1));
  EXPECT_THAT(TakeStopped(), IsEmpty());
  gone->stopped = true;
  now_ += absl::Seconds(1);
  EXPECT_THAT(TakeStopped(), ElementsAre("gone", "late"));
  EXPECT_EQ(queue_.soonest_deadline(), now_ + absl::Seconds(4));
  EXPECT_EQ(queue_.rows(), 1);
  EXPECT_THAT(Take(), ElementsAre("staying"));
}

TEST_F(JobQueueTest, EverybodyLeavesAServerOutOfPatience) {
  Push("a", 1);
  Push("b", 1);
  EXPECT_THAT(TakeStopped(true), ElementsAre("a", "b"));
}

TEST_F(JobQueueTest, TellsHowManyCameBefore) {
  Push("a", 1);
  now_ += absl::Seconds(1);
  Push("b", 1);
  EXPECT_EQ(queue_.CountBefore(now_), 1u);
  EXPECT_EQ(queue_.CountBefore(now_ + absl::Seconds(1)), 2u);
  EXPECT_EQ(queue_.CountBefore(absl::InfinitePast()), 0u);
}

}  // namespace
}  // namespace hydrophone
