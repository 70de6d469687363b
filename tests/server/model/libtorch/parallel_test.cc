#include "server/model/libtorch/parallel.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/fakes/signal.h"

namespace hydrophone {
namespace {

constexpr int64_t kMuch = int64_t{1} << 40;  // multiply-adds

TEST(ForEachTaskTest, RunsTasksAtTheSameTime) {
  SetThreads(3);
  Signal running("one more task runs");
  ForEachTask(3, kMuch, [&](int64_t) {
    running.Raise();
    running.Await(3);
  });
}

TEST(ForEachTaskTest, RunsEachTaskOnce) {
  for (int threads : {1, 2, 8}) {
    SetThreads(threads);
    for (int64_t tasks : {0, 1, 2, 7, 100}) {
      std::vector<int> runs(static_cast<size_t>(tasks));
      ForEachTask(tasks, kMuch, [&](int64_t task) { ++runs[static_cast<size_t>(task)]; });
      EXPECT_EQ(runs, std::vector<int>(static_cast<size_t>(tasks), 1)) << tasks << " tasks, " << threads << " threads";
    }
  }
}

TEST(ForEachTaskTest, RunsTasksOfATaskOnItsThread) {
  SetThreads(2);
  std::vector<int> runs(6);
  std::vector<char> on_its_thread(6);
  ForEachTask(2, kMuch, [&](int64_t outer) {
    const std::thread::id thread = std::this_thread::get_id();
    ForEachTask(3, kMuch, [&](int64_t inner) {
      const auto task = static_cast<size_t>(outer * 3 + inner);
      ++runs[task];
      on_its_thread[task] = static_cast<char>(std::this_thread::get_id() == thread);
    });
  });
  EXPECT_EQ(runs, std::vector<int>(6, 1));
  EXPECT_EQ(on_its_thread, std::vector<char>(6, 1));
}

TEST(ForEachTaskTest, RunsWhatIsSoonDoneOnTheCallingThread) {
  SetThreads(4);
  std::vector<std::thread::id> ran(100);
  ForEachTask(100, 2 * kMultiplyAddsPerThread - 1,
              [&](int64_t task) { ran[static_cast<size_t>(task)] = std::this_thread::get_id(); });
  EXPECT_EQ(ran, std::vector<std::thread::id>(100, std::this_thread::get_id()));
}

TEST(ForEachTaskTest, TakesAsManyThreadsAsTheWorkIsWorth) {
  SetThreads(8);
  Signal running("one more task runs");
  ForEachTask(2, 2 * kMultiplyAddsPerThread, [&](int64_t) {
    running.Raise();
    running.Await(2);
  });
}

TEST(ForEachTaskTest, LeavesOneThreadToLibtorchsOwnOperations) {
  SetThreads(2);
  Signal running("one more task runs");
  std::vector<int> threads(2);
  KeepLibtorchOnThisThread();
  ForEachTask(2, kMuch, [&](int64_t task) {
    running.Raise();
    running.Await(2);
    threads[static_cast<size_t>(task)] = at::get_num_threads();
  });
  EXPECT_EQ(threads, std::vector<int>(2, 1));
}

}  // namespace
}  // namespace hydrophone
