#include "server/obs/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

spdlog::logger& Logger() {
  static spdlog::logger* logger = [] {
    auto* made = new spdlog::logger("hydrophone", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_formatter(std::make_unique<spdlog::pattern_formatter>("ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v",
                                                                    spdlog::pattern_time_type::utc));
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

void Log(spdlog::level::level_enum level, absl::string_view message, const LogFields& fields) {
  if (Logger().should_log(level)) Logger().log(level, "{}", LogLine(message, fields));
}

// As a JSON string, which every reader of such lines takes; bytes that are no UTF-8 become U+FFFD.
std::string Quoted(absl::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool IsPlain(absl::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '"' && c != '=' && c != '\\';
  });
}

}  // namespace

absl::Status SetLogLevel(absl::string_view level) {
  for (auto known :
       {spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err, spdlog::level::off}) {
    spdlog::string_view_t name = spdlog::level::to_string_view(known);
    if (level == absl::string_view(name.data(), name.size())) {
      Logger().set_level(known);
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("log level: got \"", level, "\", expected debug, info, warning, error or off"));
}

void LogInfo(absl::string_view message, const LogFields& fields) { Log(spdlog::level::info, message, fields); }
void LogWarning(absl::string_view message, const LogFields& fields) { Log(spdlog::level::warn, message, fields); }
void LogError(absl::string_view message, const LogFields& fields) { Log(spdlog::level::err, message, fields); }

std::string LogLine(absl::string_view message, const LogFields& fields) {
  std::string line = absl::StrCat("msg=", Quoted(message));
  for (const auto& [key, value] : fields) {
    absl::StrAppend(&line, " ", key, "=", IsPlain(value) ? value : Quoted(value));
  }
  return line;
}

}  // namespace hydrophone
