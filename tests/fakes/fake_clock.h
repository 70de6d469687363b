// A clock that stands still until a test moves it.
#ifndef HYDROPHONE_TESTS_FAKES_FAKE_CLOCK_H_
#define HYDROPHONE_TESTS_FAKES_FAKE_CLOCK_H_

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

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
    if (changed.wait_for(lock, kTestPatience) == std::cv_status::timeout) {
      ADD_FAILURE() << "a thread waited " << kTestPatience.count() << " s in vain for the fake clock to reach " << until
                    << ", or to be notified before";
    }
    std::lock_guard<std::mutex> own(mutex_);
    waiters_.erase(std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& waiter) {
      return waiter.changed == &changed && waiter.until == until;
    }));
  }

  // Moves the time on and wakes every thread that waits for a time.
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

  // Blocks until some thread waits for a time no later than `until`; fails the test when none comes.
  void AwaitWaiter(absl::Time until) const {
    std::unique_lock<std::mutex> lock(mutex_);
    const std::string what = absl::StrCat("a thread that waits for ", absl::FormatTime(until), " or earlier");
    AwaitOrFail(waiters_changed_, lock, what, [&] {
      return std::any_of(waiters_.begin(), waiters_.end(), [&](const Waiter& waiter) { return waiter.until <= until; });
    };
    AwaitCondition(waiters_changed_, &mutex_, waits, absl::StrCat("a thread to wait until ", absl::FormatTime(until)),
                   place);
  }

 private:
  struct Waiter {
    CondVar* changed;
    Mutex* mutex;
    absl::Time until;
  };

  mutable std::mutex mutex_;  // guards waiters_ and now_
  mutable std::condition_variable waiters_changed_;
  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  mutable std::vector<Waiter> waiters_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_FAKE_CLOCK_H_
