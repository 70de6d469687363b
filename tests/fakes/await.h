// How tests wait for another thread: not for ever.
#ifndef HYDROPHONE_TESTS_FAKES_AWAIT_H_
#define HYDROPHONE_TESTS_FAKES_AWAIT_H_

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace hydrophone {

// Longer than any wait of a test that passes, on a slow machine and under a sanitizer too. await_test.cc shortens it.
inline std::chrono::milliseconds test_patience = std::chrono::seconds(30);

// Fails the test because `what` did not come within test_patience.
inline void FailToAwait(const std::string& what) {
  ADD_FAILURE() << "waited " << static_cast<double>(test_patience.count()) / 1000 << " s in vain for " << what;
}

// One wait for `what`: while (!condition && patience.WaitOn(changed_, &mutex_)) {}
class Patience {
 public:
  explicit Patience(std::string what) : what_(std::move(what)) {}

  // Waits until `changed` is signalled, at most until test_patience is over. Returns false, and fails the test with
  // what the wait was for, when it was over before.
  bool WaitOn(CondVar& changed, Mutex* mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (std::chrono::system_clock::now() >= end_) {
      FailToAwait(what_);
      return false;
    }
    changed.WaitUntil(mutex, end_);
    return true;
  }

 private:
  const std::string what_;
  const std::chrono::system_clock::time_point end_ = std::chrono::system_clock::now() + test_patience;
};

// Asks `condition` again and again until it holds: for what no thread announces. After test_patience it fails the test
// with `what` and returns false.
template <typename Condition>
bool PollOrFail(const std::string& what, const Condition& condition) {
  const auto patience_ends = std::chrono::steady_clock::now() + test_patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= patience_ends) {
      FailToAwait(what);
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_AWAIT_H_
