#include "tests/fakes/await.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_metrics.h"
#include "tests/fakes/signal.h"
#include "tests/fakes/test_job.h"

namespace hydrophone {
namespace {

// Waits end after a millisecond here.
class AwaitTest : public testing::Test {
 protected:
  AwaitTest() { test_patience = std::chrono::milliseconds(1); }
  ~AwaitTest() override { test_patience = usual_; }

 private:
  const std::chrono::milliseconds usual_ = test_patience;
};

TEST_F(AwaitTest, ASignalThatIsNotRaisedOftenEnoughFailsTheTestAndNamesItself) {
  Signal signal{"the door was opened"};
  signal.Raise();
  EXPECT_NONFATAL_FAILURE(signal.Await(2), "waited 0.001 s in vain for \"the door was opened\", time 2");
}

TEST_F(AwaitTest, AJobThatDoesNotEndFailsTheTest) {
  TestJob job(PlanOf(1));
  EXPECT_NONFATAL_FAILURE((void)job.Await(), "in vain for \"a job was told its end\"");
}

TEST_F(AwaitTest, AClockOnWhichNoThreadWaitsFailsTheTest) {
  FakeClock clock;
  EXPECT_NONFATAL_FAILURE(clock.AwaitWaiter(clock.Now()), "in vain for a thread that waits for ");
}

TEST_F(AwaitTest, MetricsThatDoNotComeFailTheTest) {
  FakeMetrics metrics;
  EXPECT_NONFATAL_FAILURE(metrics.AwaitHandled("Extract OK"), "in vain for 1 calls handled as \"Extract OK\"");
  EXPECT_NONFATAL_FAILURE(metrics.AwaitHandledInAll(3), "in vain for 3 calls handled in all");
  EXPECT_NONFATAL_FAILURE(metrics.AwaitQueueDepth(2), "in vain for a queue of 2 requests");
  EXPECT_NONFATAL_FAILURE(metrics.AwaitBudgetUsed(64), "in vain for 64 bytes of the budget in use");
}

TEST_F(AwaitTest, AConditionThatNeverHoldsFailsTheTest) {
  EXPECT_NONFATAL_FAILURE(PollOrFail("the sun to rise in the west", [] { return false; }),
                          "in vain for the sun to rise in the west");
  EXPECT_TRUE(PollOrFail("nothing", [] { return true; }));
}

TEST_F(AwaitTest, AWaitEndsAsSoonAsItsConditionHolds) {
  test_patience = std::chrono::seconds(30);
  Signal signal{"the door was opened"};
  std::thread raiser([&] { signal.Raise(); });
  signal.Await();
  raiser.join();
  EXPECT_EQ(signal.count(), 1);
}

}  // namespace
}  // namespace hydrophone
