// A clock that stands still until a test moves it.
#ifndef HYDROPHONE_TESTS_FAKES_FAKE_CLOCK_H_
#define HYDROPHONE_TESTS_FAKES_FAKE_CLOCK_H_

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "absl/time/time.h"
#include "server/sched/clock.h"

namespace hydrophone {

class FakeClock : public Clock {
 public:
  absl::Time Now() const override {
    std::lock_guard<std::mutex> lock(mutex_);
    return now_;
  }

  void WaitUntil(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                 absl::Time until) const override {
    {
      std::lock_guard<std::mutex> own(mutex_);
      if (now_ >= until) return;
      waiters_.push_back({&changed, lock.mutex(), until});
      waiters_changed_.notify_all();
    }
    changed.wait(lock);
    std::lock_guard<std::mutex> own(mutex_);
    waiters_.erase(std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& waiter) {
      return waiter.changed == &changed && waiter.until == until;
    }));
  }

  // Moves on and wakes everybody who waits.
  void Advance(absl::Duration step) {
    std::vector<Waiter> waiters;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      now_ += step;
      waiters = waiters_;
    }
    for (const Waiter& waiter : waiters) {
      std::lock_guard<std::mutex> lock(*waiter.mutex);  // so that the waiter is in its wait, or asks Now() afterwards
      waiter.changed->notify_all();
    }
  }

  // Blocks until some thread waits for a time no later than `until`.
  void AwaitWaiter(absl::Time until) const {
    std::unique_lock<std::mutex> lock(mutex_);
    waiters_changed_.wait(lock, [&] {
      return std::any_of(waiters_.begin(), waiters_.end(), [&](const Waiter& waiter) { return waiter.until <= until; });
    });
  }

 private:
  struct Waiter {
    std::condition_variable* changed;
    std::mutex* mutex;
    absl::Time until;
  };

  mutable std::mutex mutex_;  // guards all of it
  mutable std::condition_variable waiters_changed_;
  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  mutable std::vector<Waiter> waiters_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_FAKE_CLOCK_H_
