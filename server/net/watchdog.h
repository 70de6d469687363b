// A thread that looks around every few hundredths of a second.
#ifndef HYDROPHONE_SERVER_NET_WATCHDOG_H_
#define HYDROPHONE_SERVER_NET_WATCHDOG_H_

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/sched/clock.h"

namespace hydrophone {

inline constexpr absl::Duration kBetweenLooks = absl::Milliseconds(50);

// Runs from Start to its destruction.
class Watchdog {
 public:
  explicit Watchdog(const Clock* clock) : clock_(clock) {}
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // From now on calls `look` with the time, on its own thread. To be called once.
  void Start(std::function<void(absl::Time now)> look);

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mutex_);

  const Clock* const clock_;
  std::function<void(absl::Time now)> look_;
  Mutex mutex_;
  CondVar changed_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_NET_WATCHDOG_H_
