#include "server/rpc/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "tests/fakes/signal.h"

namespace hydrophone {
namespace {

const Caller kCaller = {.name = "a caller"};

TEST(WorkerPoolTest, RefusesNewTasksWhenTooManyWait) {
  Signal started{"the first task started"}, go{"the first task may end"};
  int done = 0;
  {
    WorkerPool pool(1, 2);
    ASSERT_TRUE(pool.Offer(kCaller, 1, [&] {
      started.Raise();
      go.Await();
    }));
    started.Await();
    EXPECT_TRUE(pool.Offer(kCaller, 1, [&] { ++done; }));
    EXPECT_TRUE(pool.Offer(kCaller, 1, [&] { ++done; }));
    EXPECT_FALSE(pool.Offer(kCaller, 1, [&] { ++done; }));
    go.Raise();
  }
  EXPECT_EQ(done, 2) << "what was taken on is done before the pool goes";
}

TEST(WorkerPoolTest, NextStepsGoBeforeNewTasksAndAreNeverRefused) {
  Signal started{"the first task started"}, go{"the first task may end"};
  std::vector<int> order;
  {
    WorkerPool pool(1, 1);
    ASSERT_TRUE(pool.Offer(kCaller, 1, [&] {
      started.Raise();
      go.Await();
    }));
    started.Await();
    ASSERT_TRUE(pool.Offer(kCaller, 1, [&] { order.push_back(3); }));
    pool.AddStep([&] { order.push_back(1); });
    pool.AddStep([&] { order.push_back(2); });
    go.Raise();
  }
  EXPECT_THAT(order, testing::ElementsAre(1, 2, 3));
}

TEST(WorkerPoolTest, CallersTakeTurns) {
  Signal started{"the first task started"}, go{"the first task may end"};
  std::vector<int> order;
  {
    WorkerPool pool(1, 3);
    ASSERT_TRUE(pool.Offer(kCaller, 1, [&] {
      started.Raise();
      go.Await();
    }));
    started.Await();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.Offer(kCaller, 1 << 20, [&] { order.push_back(2); }));
    EXPECT_FALSE(pool.Offer(kCaller, 1, [&] { order.push_back(0); }));
    EXPECT_TRUE(pool.Offer({.name = "another"}, 1, [&] { order.push_back(1); })) << "each caller finds one place";
    EXPECT_FALSE(pool.Offer({.name = "another"}, 1, [&] { order.push_back(0); }));
    go.Raise();
  }
  EXPECT_THAT(order, testing::ElementsAre(1, 2, 2, 2));
}

}  // namespace
}  // namespace hydrophone
