// The server's log: one line on stderr for each event (log_format.h).
#ifndef HYDROPHONE_SERVER_OBS_LOG_H_
#define HYDROPHONE_SERVER_OBS_LOG_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/core/call_log.h"
#include "server/obs/log_format.h"

namespace hydrophone {

// Sets the lowest level that is logged: "debug", "info", "warning", "error" or "off"; it is "info" until then.
// INVALID_ARGUMENT for another word.
absl::Status SetLogLevel(absl::string_view level);

// Sets how lines are written: "logfmt", as they are until then, or "json". INVALID_ARGUMENT for another word. To be
// called before other threads log.
absl::Status SetLogFormat(absl::string_view format);

// Thread-safe. A reader of stderr that does not read holds them up.
void LogInfo(absl::string_view message, const LogFields& fields = {});
void LogWarning(absl::string_view message, const LogFields& fields = {});
void LogError(absl::string_view message, const LogFields& fields = {});

// Writes the call's line: at level error for a fault of the server's own, else at info.
void LogCall(const CallRecord& call);

// The facts that the line tells. `with_message` adds the status's message, which may quote the request.
LogFields CallFields(const CallRecord& call, bool with_message);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_OBS_LOG_H_
