#include "server/sched/linger.h"

#include <algorithm>

namespace hydrophone {

void Linger::BatchDone(size_t jobs, size_t others, absl::Time now) {
  known_ = jobs + others;
  free_since_ = now;
}

absl::Time Linger::Until(size_t waiting, absl::Time oldest) const {
  if (2 * waiting >= known_) return absl::InfinitePast();
  return std::max(oldest, free_since_) + longest_;
}

}  // namespace hydrophone
