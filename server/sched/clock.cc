#include "server/sched/clock.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace hydrophone {
namespace {

class WallClock : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }

  void WaitUntil(CondVar& changed, Mutex* mutex, absl::Time until) const override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (until == absl::InfiniteFuture()) return changed.Wait(mutex);
    // A deadline centuries away overflows the C library's arithmetic, and waking once a day costs nothing.
    absl::Time soonest = std::min(until, absl::Now() + absl::Hours(24));
    changed.WaitUntil(mutex, absl::ToChronoTime(soonest));
  }
};

}  // namespace

const Clock& RealClock() {
  static const WallClock* clock = new WallClock;
  return *clock;
}

}  // namespace hydrophone
