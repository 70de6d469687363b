#include "server/doors.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "server/obs/log.h"
#include "server/sched/clock.h"

namespace hydrophone {
namespace {

// Logs what became of `file`, which has changed.
auto LogsReload(const std::string& file) {
  return [file](const absl::Status& status) {
    if (status.ok()) return LogInfo("read again", {{"file", file}});
    LogWarning("what was read before stays in force", {{"file", file}, {"error", std::string(status.message())}});
  };
}

}  // namespace

absl::StatusOr<Doors> MakeDoors(const Flags& flags) {
  Doors doors;
  if (!flags.token_digests.empty()) {
    auto access = Access::Load(flags.token_digests, &RealClock(), LogsReload(flags.token_digests));
    if (!access.ok()) return access.status();
    doors.access = *std::move(access);
  }
  if (!flags.tls.certificate.empty()) {
    auto certificates = Certificates::Load(flags.tls, &RealClock(), LogsReload(flags.tls.certificate));
    if (!certificates.ok()) return certificates.status();
    doors.certificates = *std::move(certificates);
  }
  return doors;
}

}  // namespace hydrophone
