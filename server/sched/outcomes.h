// The status of a job that ends before its last capture.
#ifndef HYDROPHONE_SERVER_SCHED_OUTCOMES_H_
#define HYDROPHONE_SERVER_SCHED_OUTCOMES_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/sched/job.h"

namespace hydrophone {

// UNAVAILABLE (DRAINING): what new and waiting jobs are told while the server stops.
absl::Status ServerStops();

// CANCELLED, DEADLINE_EXCEEDED, or UNAVAILABLE when the server is out of patience; OK when the job can go on.
absl::Status WhyStopped(const Job& job, absl::Time now, bool out_of_patience);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_OUTCOMES_H_
