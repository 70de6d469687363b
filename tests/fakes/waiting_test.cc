#include "tests/fakes/waiting.h"

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
class WaitingTest : public testing::Test {
 protected:
  WaitingTest() { wait_limit = std::chrono::milliseconds(1); }
  ~WaitingTest() override { wait_limit = usual_; }

 private:
  const std::chrono::milliseconds usual_ = wait_limit;
};

TEST_F(WaitingTest, ASignalThatIsNotRaisedFailsTheTestAndNamesItself) {
  Signal signal;
  signal.Raise();
  testing::TestPartResultArray failures;
  {
    testing::ScopedFakeTestPartResultReporter reporter(&failures);
    signal.Await(2);
  }
  ASSERT_EQ(failures.size(), 2);
  EXPECT_NE(
      std::string(failures.GetTestPartResult(0).message()).find("waited 0.001 s for a signal to be raised 2 times"),
      std::string::npos);
  EXPECT_NE(std::string(failures.GetTestPartResult(0).file_name()).find("waiting_test.cc"), std::string::npos);
  EXPECT_NE(std::string(failures.GetTestPartResult(1).message()).find("it was raised 1 times"), std::string::npos);
}

TEST_F(WaitingTest, AJobThatDoesNotEndFailsTheTest) {
  TestJob job(PlanOf(1));
  testing::TestPartResultArray failures;
  {
    testing::ScopedFakeTestPartResultReporter reporter(&failures);
    EXPECT_EQ(job.Await().code(), absl::StatusCode::kUnknown);
  }
  EXPECT_GT(failures.size(), 0);
}

TEST_F(WaitingTest, AClockOnWhichNoThreadWaitsFailsTheTest) {
  FakeClock clock;
  EXPECT_NONFATAL_FAILURE(clock.AwaitWaiter(clock.Now()), "for a thread to wait until ");
}

TEST_F(WaitingTest, MetricsThatDoNotComeFailTheTest) {
  FakeMetrics metrics;
  EXPECT_NONFATAL_FAILURE(metrics.AwaitHandled("Extract OK"), "for 1 calls to be handled as \"Extract OK\"");
  EXPECT_NONFATAL_FAILURE(metrics.AwaitHandledInAll(3), "for 3 calls to be handled in all");
  EXPECT_NONFATAL_FAILURE(metrics.AwaitQueueDepth(2), "for a queue of 2 requests");
  EXPECT_NONFATAL_FAILURE(metrics.AwaitBudgetUsed(64), "for 64 bytes of the budget to be in use");
}

TEST_F(WaitingTest, AWaitEndsAsSoonAsItsConditionHolds) {
  wait_limit = std::chrono::seconds(30);
  Signal signal;
  std::thread raiser([&] { signal.Raise(); });
  signal.Await();
  raiser.join();
  EXPECT_EQ(signal.count(), 1);
}

}  // namespace
}  // namespace hydrophone
