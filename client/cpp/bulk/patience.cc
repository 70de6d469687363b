#include "client/cpp/bulk/patience.h"

#include <algorithm>
#include <optional>

#include "client/cpp/errors.h"

namespace hydrophone::client {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(2);

bool MayBeGoneLater(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsDataLoss(status) ||
         RetryAfterOf(status).has_value();
}

}  // namespace

absl::Status AskPatiently(const std::function<absl::Status()>& ask, absl::Duration patience,
                          const std::function<absl::Time()>& now, const std::function<void(absl::Duration)>& sleep) {
  std::optional<absl::Time> failed_since;
  absl::Duration pause = kFirstPause;
  while (true) {
    absl::Status status = ask();
    if (status.ok() || !MayBeGoneLater(status)) return status;
    const absl::Time failed = now();
    if (!failed_since) failed_since = failed;
    if (failed - *failed_since + pause > patience) return status;
    sleep(pause);
    pause = std::min(2 * pause, kLongestPause);
  }
}

}  // namespace hydrophone::client
