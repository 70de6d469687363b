#include "server/model/libtorch/parallel.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace hydrophone {
namespace {

// A place where threads wait until as many as expected have come.
class Meeting {
 public:
  explicit Meeting(int expected) : expected_(expected) {}

  // Whether all came. The time limit ends the test when one does not.
  bool Attend() {
    std::unique_lock<std::mutex> lock(mutex_);
    ++came_;
    changed_.notify_all();
    return changed_.wait_for(lock, std::chrono::seconds(20), [this] { return came_ >= expected_; });
  }

 private:
  const int expected_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int came_ = 0;  // guarded by mutex_
};

TEST(ForEachTaskTest, RunsTasksAtTheSameTime) {
  at::set_num_threads(3);
  Meeting meeting(3);
  std::vector<char> met(3);
  ForEachTask(3, [&](int64_t task) { met[static_cast<size_t>(task)] = static_cast<char>(meeting.Attend()); });
  EXPECT_EQ(met, std::vector<char>({1, 1, 1}));
}

TEST(ForEachTaskTest, RunsEachTaskOnce) {
  for (int threads : {1, 2, 8}) {
    at::set_num_threads(threads);
    for (int64_t tasks : {0, 1, 2, 7, 100}) {
      std::vector<int> runs(static_cast<size_t>(tasks));
      ForEachTask(tasks, [&](int64_t task) { ++runs[static_cast<size_t>(task)]; });
      EXPECT_EQ(runs, std::vector<int>(static_cast<size_t>(tasks), 1)) << tasks << " tasks, " << threads << " threads";
    }
  }
}

TEST(ForEachTaskTest, RunsTasksOfATaskOnItsThread) {
  at::set_num_threads(2);
  std::vector<int> runs(6);
  std::vector<char> on_its_thread(6);
  ForEachTask(2, [&](int64_t outer) {
    const std::thread::id thread = std::this_thread::get_id();
    ForEachTask(3, [&](int64_t inner) {
      const auto task = static_cast<size_t>(outer * 3 + inner);
      ++runs[task];
      on_its_thread[task] = static_cast<char>(std::this_thread::get_id() == thread);
    });
  });
  EXPECT_EQ(runs, std::vector<int>(6, 1));
  EXPECT_EQ(on_its_thread, std::vector<char>(6, 1));
}

}  // namespace
}  // namespace hydrophone
