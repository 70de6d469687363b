#include "server/rpc/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "tests/fakes/signal.h"

namespace hydrophone {
namespace {

TEST(WorkerPoolTest, RefusesNewTasksWhenTooManyWait) {
  Signal started{"the first task started"}, go{"the first task may end"};
  int done = 0;
  {
    WorkerPool pool(1, 2);
    ASSERT_TRUE(pool.Offer([&] {
      started.Raise();
      go.Await();
    }));
    started.Await();
    EXPECT_TRUE(pool.Offer([&] { ++done; }));
    EXPECT_TRUE(pool.Offer([&] { ++done; }));
    EXPECT_FALSE(pool.Offer([&] { ++done; }));
    go.Raise();
  }
  EXPECT_EQ(done, 2) << "what was taken on is done before the pool goes";
}

TEST(WorkerPoolTest, NextStepsGoBeforeNewTasksAndAreNeverRefused) {
  Signal started{"the first task started"}, go{"the first task may end"};
  std::vector<int> order;
  {
    WorkerPool pool(1, 1);
    ASSERT_TRUE(pool.Offer([&] {
      started.Raise();
      go.Await();
    }));
    started.Await();
    ASSERT_TRUE(pool.Offer([&] { order.push_back(3); }));
    pool.AddStep([&] { order.push_back(1); });
    pool.AddStep([&] { order.push_back(2); });
    go.Raise();
  }
  EXPECT_THAT(order, testing::ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace hydrophone
