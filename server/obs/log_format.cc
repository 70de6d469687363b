#include "server/obs/log_format.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

// As a JSON string, which every reader of logfmt takes too.
std::string Quoted(absl::string_view text) {
  return nlohmann::json(std::string(text))
      .dump(-1, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace);
}

bool IsPlain(absl::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '"' && c != '=' && c != '\\';
  });
}

}  // namespace

absl::StatusOr<LogFormat> ParseLogFormat(absl::string_view name) {
  if (name == "logfmt") return LogFormat::kLogfmt;
  if (name == "json") return LogFormat::kJson;
  return absl::InvalidArgumentError(absl::StrCat("log format: got \"", name, "\", expected logfmt or json"));
}

const char* LinePattern(LogFormat format) {
  return format == LogFormat::kJson ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                    : "ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v";
}

std::string LogLine(absl::string_view message, const LogFields& fields, LogFormat format) {
  if (format == LogFormat::kJson) {
    std::string line = absl::StrCat("\"msg\":", Quoted(message));
    for (const LogField& field : fields) {
      absl::StrAppend(&line, ",\"", field.key, "\":", field.is_number ? field.value : Quoted(field.value));
    }
    return line;
  }
  std::string line = absl::StrCat("msg=", Quoted(message));
  for (const LogField& field : fields) {
    absl::StrAppend(&line, " ", field.key, "=", IsPlain(field.value) ? field.value : Quoted(field.value));
  }
  return line;
}

}  // namespace hydrophone
