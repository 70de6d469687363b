#include "server/sched/outcomes.h"

#include "server/core/errors.h"

namespace hydrophone {

absl::Status ServerStops() {
  // Another replica can answer at once; the pause only keeps a client from asking this one again and again.
  return Draining(absl::Seconds(1));
}

absl::Status WhyStopped(const Job& job, absl::Time now, bool out_of_patience) {
  if (job.Stopped()) return absl::CancelledError("the caller left");
  if (now >= job.deadline()) return absl::DeadlineExceededError("the call's deadline passed before it was done");
  if (out_of_patience) return ServerStops();
  return absl::OkStatus();
}

}  // namespace hydrophone
