// What test threads wait on instead of sleeping.
#ifndef HYDROPHONE_TESTS_FAKES_SIGNAL_H_
#define HYDROPHONE_TESTS_FAKES_SIGNAL_H_

#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "server/base/mutex.h"
#include "tests/fakes/await.h"

namespace hydrophone {

// A number that only grows, and threads that wait until it is large enough. Thread-safe. (absl::Notification would do,
// but the thread sanitizer does not see into the system's Abseil.)
class Signal {
 public:
  // `meaning`: what a Raise says has happened, for the message of a wait in vain.
  explicit Signal(std::string meaning) : meaning_(std::move(meaning)) {}

  void Raise() {
    MutexLock lock(&mutex_);
    ++count_;
    changed_.SignalAll();
  }

  // Waits until Raise has been called `count` times; fails the test when that does not come within 30 s.
  void Await(int count = 1) const {
    MutexLock lock(&mutex_);
    Patience patience(absl::StrCat("\"", meaning_, "\", time ", count));
    while (count_ < count && patience.WaitOn(changed_, &mutex_)) {
    }
  }

  int count() const {
    MutexLock lock(&mutex_);
    return count_;
  }

 private:
  const std::string meaning_;
  mutable Mutex mutex_;
  mutable CondVar changed_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_SIGNAL_H_
