// Time as the scheduler sees it, so that tests can turn it by hand.
#ifndef HYDROPHONE_SERVER_SCHED_CLOCK_H_
#define HYDROPHONE_SERVER_SCHED_CLOCK_H_

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace hydrophone {

// Tells the time and waits for it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual absl::Time Now() const = 0;

  // Waits on `changed` with `lock`, which is held before and after, until notified or, at the latest, until Now() is
  // `until`. May also wake for no reason: the caller asks again.
  virtual void WaitUntil(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                         absl::Time until) const = 0;
};

// The machine's wall clock, which deadlines of calls are told in. Lives as long as the program.
const Clock& RealClock();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_CLOCK_H_
