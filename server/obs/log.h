// Logs, one line an event, to stderr, in logfmt:
//
//   ts=2025-11-22T11:13:06.123Z level=info msg="loaded the model" seconds=0.41 name=hydrophone-gpt2-tiny
#ifndef HYDROPHONE_SERVER_OBS_LOG_H_
#define HYDROPHONE_SERVER_OBS_LOG_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

// What else is known about an event. Keys are identifiers; values may be anything.
using LogFields = std::vector<std::pair<std::string, std::string>>;

// Sets what is logged: "debug", "info", "warning", "error" or "off"; INVALID_ARGUMENT for another word. Before it, info
// and above.
absl::Status SetLogLevel(absl::string_view level);

// Thread-safe. Nothing in `message` or `fields` can break the line: control characters are escaped.
void LogInfo(absl::string_view message, const LogFields& fields = {});
void LogWarning(absl::string_view message, const LogFields& fields = {});
void LogError(absl::string_view message, const LogFields& fields = {});

// The text after the level: `msg="..." key=value`, each value quoted when it has to be.
std::string LogLine(absl::string_view message, const LogFields& fields);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_OBS_LOG_H_
