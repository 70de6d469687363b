// Asks again while no server answers.
#ifndef HYDROPHONE_CLIENT_CPP_BULK_PATIENCE_H_
#define HYDROPHONE_CLIENT_CPP_BULK_PATIENCE_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace hydrophone::client {

// Calls `ask` until its error is none that may be gone a minute later (no server, a busy one, a passed deadline, a
// damaged stream), or until these last for `patience`. The pauses between are 0.1 s, doubled up to 2 s.
absl::Status AskPatiently(const std::function<absl::Status()>& ask, absl::Duration patience,
                          const std::function<absl::Time()>& now, const std::function<void(absl::Duration)>& sleep);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_BULK_PATIENCE_H_
