#include "server/net/watchdog.h"

#include <utility>

namespace hydrophone {

Watchdog::~Watchdog() {
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Watchdog::Start(std::function<void(absl::Time now)> look) {
  look_ = std::move(look);
  thread_ = std::thread([this] { Loop(); });
}

void Watchdog::Loop() {
  while (true) {
    const absl::Time now = clock_->Now();
    look_(now);
    MutexLock lock(&mutex_);
    while (!ending_ && clock_->Now() < now + kBetweenLooks) {
      clock_->WaitUntil(changed_, &mutex_, now + kBetweenLooks);
    }
    if (ending_) return;
  }
}

}  // namespace hydrophone
