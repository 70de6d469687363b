#include "server/plan/inputs/run_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(OrderRuns, WithoutReadsTheyGoAsNumbered) { EXPECT_THAT(OrderRuns(3, {}).runs, ElementsAre(0, 1, 2)); }

TEST(OrderRuns, ASourceGoesBeforeItsReaders) { EXPECT_THAT(OrderRuns(3, {{0, 2}, {1, 2}}).runs, ElementsAre(2, 0, 1)); }

TEST(OrderRuns, ChainsGoFromTheirEnd) { EXPECT_THAT(OrderRuns(3, {{0, 1}, {1, 2}}).runs, ElementsAre(2, 1, 0)); }

TEST(OrderRuns, ReadingARunTwiceIsAsReadingItOnce) {
  EXPECT_THAT(OrderRuns(2, {{0, 1}, {0, 1}}).runs, ElementsAre(1, 0));
}

TEST(OrderRuns, FindsTheReadsOfACycle) {
  const RunOrder order = OrderRuns(2, {{0, 1}, {1, 0}});
  EXPECT_THAT(order.runs, IsEmpty());
  EXPECT_THAT(order.cycle, ElementsAre(0, 1));
}

TEST(OrderRuns, RunsThatOnlyWaitForACycleAreNotOfIt) {
  // 0 reads 1, and 1, 2 and 3 read one another in a circle
  EXPECT_THAT(OrderRuns(4, {{0, 1}, {1, 2}, {2, 3}, {3, 1}}).cycle, ElementsAre(1, 2, 3));
}

TEST(OrderRuns, ReadsThatAreMetAreNotOfACycle) {
  EXPECT_THAT(OrderRuns(3, {{1, 0}, {1, 2}, {2, 1}}).cycle, ElementsAre(1, 2));
}

}  // namespace
}  // namespace hydrophone
