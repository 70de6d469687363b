#include "server/model/libtorch/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/fakes/signal.h"

namespace hydrophone {
namespace {

void NoBeginning() {}

class ThreadPoolTest : public testing::Test {
 protected:
  // Runs work that returns once `threads` threads are inside, and gives the number of different threads.
  size_t ThreadsThatMeet(int threads) {
    Signal inside("one more thread is inside");
    Mutex mutex;
    std::set<std::thread::id> met;
    pool_.Run(threads, [&] {
      {
        MutexLock lock(&mutex);
        met.insert(std::this_thread::get_id());
      }
      inside.Raise();
      inside.Await(threads);
    });
    return met.size();
  }

  ThreadPool pool_{NoBeginning};
};

TEST_F(ThreadPoolTest, RunsWorkOnAsManyThreadsAsAreAskedFor) {
  pool_.SetThreads(4);
  for (int threads : {1, 2, 4}) EXPECT_EQ(ThreadsThatMeet(threads), static_cast<size_t>(threads));
}

TEST_F(ThreadPoolTest, WakesHelpersThatSleep) {
  pool_.SetAwake(std::chrono::microseconds(0));
  pool_.SetThreads(3);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ThreadsThatMeet(3), 3u);
}

TEST_F(ThreadPoolTest, UsesNoMoreThreadsThanItHas) {
  pool_.SetThreads(3);
  pool_.SetThreads(1);
  int runs = 0;
  pool_.Run(8, [&] { ++runs; });
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(pool_.threads(), 1);
}

TEST(ThreadPoolHelperTest, IsNotWaitedForBeforeItHasJoined) {
  Signal may_begin("the helper may begin");
  ThreadPool pool([&] { may_begin.Await(); });
  pool.SetThreads(2);
  int runs = 0;
  pool.Run(2, [&] { ++runs; });  // would never return if it waited
  EXPECT_EQ(runs, 1);
  may_begin.Raise();
}

TEST_F(ThreadPoolTest, RethrowsWhatAHelperThrewAndGoesOn) {
  pool_.SetThreads(2);
  const std::thread::id owner = std::this_thread::get_id();
  Signal helps("the helper is inside");
  EXPECT_THROW(pool_.Run(2,
                         [&] {
                           if (std::this_thread::get_id() == owner) return helps.Await();
                           helps.Raise();
                           throw std::bad_alloc();
                         }),
               std::bad_alloc);
  EXPECT_EQ(ThreadsThatMeet(2), 2u);
}

TEST_F(ThreadPoolTest, RethrowsWhatTheOwnerThrewAndGoesOn) {
  pool_.SetThreads(2);
  const std::thread::id owner = std::this_thread::get_id();
  EXPECT_THROW(pool_.Run(2,
                         [&] {
                           if (std::this_thread::get_id() == owner) throw std::runtime_error("no");
                         }),
               std::runtime_error);
  EXPECT_EQ(ThreadsThatMeet(2), 2u);
}

TEST_F(ThreadPoolTest, RunsWorkOfAnotherThreadAloneWhileOneIsOpen) {
  pool_.SetThreads(2);
  std::atomic<bool> first = true;
  int runs = 0;
  pool_.Run(2, [&] {
    if (first.exchange(false)) std::thread([&] { pool_.Run(2, [&] { ++runs; }); }).join();
  });
  EXPECT_EQ(runs, 1);
}

// What a helper writes is the owner's to read, and the other way round: the thread sanitizer looks at this one.
TEST_F(ThreadPoolTest, HandsMemoryOverInBothDirections) {
  pool_.SetThreads(4);
  std::vector<int> squares(64);
  for (int round = 0; round < 2000; ++round) {
    std::vector<int> numbers(64, round);
    std::atomic<size_t> next = 0;
    pool_.Run(4, [&] {
      for (size_t i = next++; i < numbers.size(); i = next++) squares[i] = numbers[i] * 2;
    });
    ASSERT_EQ(squares, std::vector<int>(64, round * 2));
    if (round % 500 == 0) pool_.SetAwake(std::chrono::microseconds(round / 100));
  }
}

}  // namespace
}  // namespace hydrophone
