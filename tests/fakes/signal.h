// What test threads wait on instead of sleeping.
#ifndef HYDROPHONE_TESTS_FAKES_SIGNAL_H_
#define HYDROPHONE_TESTS_FAKES_SIGNAL_H_

#include <condition_variable>
#include <mutex>

namespace hydrophone {

// A number that only grows, and threads that wait until it is large enough. Thread-safe. (absl::Notification would do,
// but the thread sanitizer does not see into the system's Abseil.)
class Signal {
 public:
  void Raise() {
    std::lock_guard<std::mutex> lock(mutex_);
    ++count_;
    changed_.notify_all();
  }

  void Await(int count = 1) const {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }

  int count() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;  // guards count_
  mutable std::condition_variable changed_;
  int count_ = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_SIGNAL_H_
