// How tests wait for another thread: not for ever.
#ifndef HYDROPHONE_TESTS_FAKES_AWAIT_H_
#define HYDROPHONE_TESTS_FAKES_AWAIT_H_

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace hydrophone {

// Longer than any wait of a test that passes, on a slow machine and under a sanitizer too.
inline constexpr std::chrono::seconds kTestPatience{30};

// Waits on `changed` until `condition` holds. After kTestPatience it fails the test with `what`, the thing that it
// waited for, and returns false.
template <typename Condition>
bool AwaitOrFail(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, const std::string& what,
                 Condition condition) {
  if (changed.wait_for(lock, kTestPatience, std::move(condition))) return true;
  ADD_FAILURE() << "waited " << kTestPatience.count() << " s in vain for " << what;
  return false;
}

// Asks `condition` again and again until it holds: for what no thread announces. Fails as AwaitOrFail does.
template <typename Condition>
bool PollOrFail(const std::string& what, Condition condition) {
  const auto patience_ends = std::chrono::steady_clock::now() + kTestPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= patience_ends) {
      ADD_FAILURE() << "waited " << kTestPatience.count() << " s in vain for " << what;
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_AWAIT_H_
