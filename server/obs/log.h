// Logs to stderr, one line for each event, in logfmt:
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

// Further facts about an event. Keys are identifiers; values may hold anything.
using LogFields = std::vector<std::pair<std::string, std::string>>;

// Sets the lowest level that is logged: "debug", "info", "warning", "error" or "off"; it is "info" until then.
// INVALID_ARGUMENT for another word.
absl::Status SetLogLevel(absl::string_view level);

// Thread-safe. Nothing in `message` or `fields` can break the line: control characters are escaped.
void LogInfo(absl::string_view message, const LogFields& fields = {});
void LogWarning(absl::string_view message, const LogFields& fields = {});
void LogError(absl::string_view message, const LogFields& fields = {});

// The text of a line after its level: `msg="..." key=value`, with quotes around the values that need them.
std::string LogLine(absl::string_view message, const LogFields& fields);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_OBS_LOG_H_
