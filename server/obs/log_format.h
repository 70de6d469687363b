// What a line of the log looks like, in logfmt or as JSON:
//
//   ts=2025-11-22T11:13:06.123Z level=info msg="loaded the model" seconds=0.41 name=hydrophone-gpt2-tiny
//   {"ts":"2025-11-22T11:13:06.123Z","level":"info","msg":"loaded the
//   model","seconds":"0.41","name":"hydrophone-gpt2-tiny"}
#ifndef HYDROPHONE_SERVER_OBS_LOG_FORMAT_H_
#define HYDROPHONE_SERVER_OBS_LOG_FORMAT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

enum class LogFormat : uint8_t { kLogfmt, kJson };

// A further fact about an event. The key is an identifier; the value may hold anything.
struct LogField {
  std::string key;
  std::string value;
  bool is_number = false;  // the value is a JSON number, and stands in JSON without quotes
};
using LogFields = std::vector<LogField>;

// "logfmt" or "json"; INVALID_ARGUMENT for another word.
absl::StatusOr<LogFormat> ParseLogFormat(absl::string_view name);

// spdlog's pattern of a whole line; its %v is LogLine's text.
const char* LinePattern(LogFormat format);

// The text of a line after its level: `msg="..." key=value`, with quotes around the values that need them; or the same
// as members of a JSON object. Printable ASCII alone, in one line: whatever else a text holds is escaped as JSON does
// it, so that nothing in it can break the line or steer a terminal. Bytes that are no UTF-8 become U+FFFD.
std::string LogLine(absl::string_view message, const LogFields& fields, LogFormat format);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_OBS_LOG_FORMAT_H_
