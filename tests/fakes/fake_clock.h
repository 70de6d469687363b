// A clock that stands still until a test moves it.
#ifndef HYDROPHONE_TESTS_FAKES_FAKE_CLOCK_H_
#define HYDROPHONE_TESTS_FAKES_FAKE_CLOCK_H_

#include <algorithm>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/sched/clock.h"
#include "tests/fakes/await.h"

namespace hydrophone {

class FakeClock : public Clock {
 public:
  absl::Time Now() const override {
    MutexLock lock(&mutex_);
    return now_;
  }

  void WaitUntil(CondVar& changed, Mutex* mutex, absl::Time until) const override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    {
      MutexLock own(&mutex_);
      if (now_ >= until) return;
      waiters_.push_back({&changed, mutex, until});
      waiters_changed_.SignalAll();
    }
    changed.Wait(mutex);
    MutexLock own(&mutex_);
    waiters_.erase(std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& waiter) {
      return waiter.changed == &changed && waiter.until == until;
    }));
  }

  // Moves on and wakes all threads that wait.
  void Advance(absl::Duration step) {
    std::vector<Waiter> waiters;
    {
      MutexLock lock(&mutex_);
      now_ += step;
      waiters = waiters_;
    }
    for (const Waiter& waiter : waiters) {
      MutexLock lock(waiter.mutex);  // so that the waiter is in its wait, or asks Now() afterwards
      waiter.changed->SignalAll();
    }
  }

  // Waits until some thread waits for a time no later than `until`; fails the test when none comes within 30 s.
  void AwaitWaiter(absl::Time until) const {
    MutexLock lock(&mutex_);
    Patience patience(absl::StrCat("a thread that waits for ", absl::FormatTime(until), " or earlier"));
    const auto early = [until](const Waiter& waiter) { return waiter.until <= until; };
    while (std::none_of(waiters_.begin(), waiters_.end(), early) && patience.WaitOn(waiters_changed_, &mutex_)) {
    }
  }

 private:
  struct Waiter {
    CondVar* changed;
    Mutex* mutex;
    absl::Time until;
  };

  mutable Mutex mutex_;
  mutable CondVar waiters_changed_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::FromUnixSeconds(1'000'000);
  mutable std::vector<Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_FAKE_CLOCK_H_
