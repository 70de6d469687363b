// How a job ends that does not get to its last capture.
#ifndef HYDROPHONE_SERVER_SCHED_OUTCOMES_H_
#define HYDROPHONE_SERVER_SCHED_OUTCOMES_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/sched/scheduler.h"

namespace hydrophone {

// UNAVAILABLE (DRAINING), as it is told to those who come or wait while the server stops.
absl::Status ServerStops();

// CANCELLED, DEADLINE_EXCEEDED, or UNAVAILABLE when the server is out of patience; OK when nothing keeps the job from
// going on.
absl::Status WhyStopped(const Job& job, absl::Time now, bool out_of_patience);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_OUTCOMES_H_
