// What test threads wait on instead of sleeping.
#ifndef HYDROPHONE_TESTS_FAKES_SIGNAL_H_
#define HYDROPHONE_TESTS_FAKES_SIGNAL_H_

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "server/base/mutex.h"
#include "tests/fakes/waiting.h"

namespace hydrophone {

// A number that only grows, and threads that wait until it is large enough. Thread-safe. (absl::Notification would do,
// but the thread sanitizer does not see into the system's Abseil.)
class Signal {
 public:
  void Raise() {
    MutexLock lock(&mutex_);
    ++count_;
    changed_.SignalAll();
  }

  // Waits until the signal was raised `count` times; fails the test, at the caller's line, after 30 s.
  void Await(int count = 1, Place place = HYDROPHONE_HERE) const {
    MutexLock lock(&mutex_);
    const bool raised = AwaitCondition(
        changed_, &mutex_, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return count_ >= count; },
        absl::StrCat("a signal to be raised ", count, " times"), place);
    if (!raised) ADD_FAILURE_AT(place.file, place.line) << "it was raised " << count_ << " times";
  }

  int count() const {
    MutexLock lock(&mutex_);
    return count_;
  }

 private:
  mutable Mutex mutex_;
  mutable CondVar changed_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_SIGNAL_H_
