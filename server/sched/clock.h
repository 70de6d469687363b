// Time as the scheduler sees it, so that tests can turn it by hand.
#ifndef HYDROPHONE_SERVER_SCHED_CLOCK_H_
#define HYDROPHONE_SERVER_SCHED_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"

namespace hydrophone {

// Tells the time and waits for it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual absl::Time Now() const = 0;

  // Waits on `changed`, without `mutex` meanwhile, until it is signalled or, at the latest, until Now() is `until`. May
  // also return for no reason: the caller looks again.
  virtual void WaitUntil(CondVar& changed, Mutex* mutex, absl::Time until) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) = 0;
};

// The machine's wall clock, in which the deadlines of calls are told. Lives as long as the program.
const Clock& RealClock();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_CLOCK_H_
