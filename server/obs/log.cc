#include "server/obs/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hydrophone {
namespace {

using spdlog::level::level_enum;

// Longest caller's name and method in a line, bytes; callers choose their length.
constexpr size_t kMaxNameBytes = 256;

LogFormat& Format() {
  static LogFormat format = LogFormat::kLogfmt;
  return format;
}

std::unique_ptr<spdlog::formatter> LineFormatter() {
  return std::make_unique<spdlog::pattern_formatter>(LinePattern(Format()), spdlog::pattern_time_type::utc);
}

spdlog::logger& Logger() {
  static spdlog::logger* logger = [] {
    auto* made = new spdlog::logger("hydrophone", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_formatter(LineFormatter());
    made->flush_on(level_enum::trace);
    return made;
  }();
  return *logger;
}

void Log(absl::Time time, level_enum level, absl::string_view message, const LogFields& fields) {
  if (!Logger().should_log(level)) return;
  Logger().log(absl::ToChronoTime(time), spdlog::source_loc{}, level, LogLine(message, fields, Format()));
}

LogField Number(const char* key, int64_t number) { return {key, absl::StrCat(number), true}; }
LogField Seconds(const char* key, absl::Duration time) {
  return {key, absl::StrFormat("%.6f", absl::ToDoubleSeconds(time)), true};
}

// Codes that say that the fault is the server's.
level_enum LevelOf(const CallRecord& call) {
  return call.code == "Internal" || call.code == "Unknown" || call.code == "DataLoss" ? level_enum::err
                                                                                      : level_enum::info;
}

}  // namespace

absl::Status SetLogLevel(absl::string_view level) {
  for (auto known : {level_enum::debug, level_enum::info, level_enum::warn, level_enum::err, level_enum::off}) {
    spdlog::string_view_t name = spdlog::level::to_string_view(known);
    if (level == absl::string_view(name.data(), name.size())) {
      Logger().set_level(known);
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("log level: got \"", level, "\", expected debug, info, warning, error or off"));
}

absl::Status SetLogFormat(absl::string_view format) {
  const absl::StatusOr<LogFormat> parsed = ParseLogFormat(format);
  if (!parsed.ok()) return parsed.status();
  Format() = *parsed;
  Logger().set_formatter(LineFormatter());
  return absl::OkStatus();
}

void LogInfo(absl::string_view message, const LogFields& fields) {
  Log(absl::Now(), level_enum::info, message, fields);
}
void LogWarning(absl::string_view message, const LogFields& fields) {
  Log(absl::Now(), level_enum::warn, message, fields);
}
void LogError(absl::string_view message, const LogFields& fields) {
  Log(absl::Now(), level_enum::err, message, fields);
}

void LogCall(const CallRecord& call) {
  const level_enum level = LevelOf(call);
  if (!Logger().should_log(level)) return;
  Log(call.ended, level, "call", CallFields(call, Logger().should_log(level_enum::debug)));
}

LogFields CallFields(const CallRecord& call, bool with_message) {
  LogFields fields = {{"method", call.method.substr(0, kMaxNameBytes)},
                      {"caller", call.caller.substr(0, kMaxNameBytes)},
                      {"request_id", call.request_id}};
  if (!call.traceparent.empty()) fields.push_back({"traceparent", call.traceparent});
  fields.push_back(Number("inputs", call.inputs));
  fields.push_back(Number("tokens", call.tokens));
  fields.push_back(Number("request_bytes", static_cast<int64_t>(call.request_bytes)));
  fields.push_back(Number("response_bytes", static_cast<int64_t>(call.response_bytes)));
  fields.push_back(Seconds("queue_seconds", call.queued));
  fields.push_back(Seconds("compute_seconds", call.computed));
  fields.push_back({"code", call.code});
  if (!call.reason.empty()) fields.push_back({"reason", call.reason});
  fields.push_back(Seconds("seconds", call.elapsed));
  if (with_message && !call.message.empty()) fields.push_back({"error", call.message});
  return fields;
}

}  // namespace hydrophone
