#include "server/sched/clock.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace hydrophone {
namespace {

class WallClock : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }

  void WaitUntil(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                 absl::Time until) const override {
    if (until == absl::InfiniteFuture()) {
      changed.wait(lock);
      return;
    }
    // A deadline centuries away overflows the C library's arithmetic; nobody minds being asked again after a day.
    absl::Time soonest = std::min(until, absl::Now() + absl::Hours(24));
    changed.wait_until(lock, absl::ToChronoTime(soonest));
  }
};

}  // namespace

const Clock& RealClock() {
  static const WallClock* clock = new WallClock;
  return *clock;
}

}  // namespace hydrophone
