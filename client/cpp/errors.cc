#include "client/cpp/errors.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/base/status_payload.h"

namespace hydrophone::client {
namespace {

// The payload of an absl::Status that holds a google.rpc.Status.
constexpr char kDetailsUrl[] = "type.googleapis.com/google.rpc.Status";

google::rpc::Status DetailsOf(const absl::Status& status) {
  google::rpc::Status details;
  const auto payload = status.GetPayload(kDetailsUrl);
  if (payload.has_value() && !details.ParseFromString(std::string(*payload))) details.Clear();
  return details;
}

void SetDetails(const google::rpc::Status& details, absl::Status& status) {
  if (details.details_size() > 0) SetPayload(status, kDetailsUrl, details.SerializeAsString());
}

// The first detail of this type.
template <typename Detail>
std::optional<Detail> FindDetail(const google::rpc::Status& details) {
  for (const auto& any : details.details()) {
    Detail detail;
    if (any.Is<Detail>() && any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

// The number that begins a text, taken off it; nullopt, and the text as it was, when there is none.
std::optional<uint32_t> TakeNumber(absl::string_view* text) {
  const size_t digits = std::min(text->find_first_not_of("0123456789"), text->size());
  uint32_t number = 0;
  if (!absl::SimpleAtoi(text->substr(0, digits), &number)) return std::nullopt;
  text->remove_prefix(digits);
  return number;
}

std::string LineOf(const google::rpc::BadRequest::FieldViolation& violation) {
  return absl::StrCat(violation.field(), ": ", violation.description());
}

// The message of a refused request, "FIRST (and 3 more)", with another first violation and fewer others: `joined` of
// them became one with another.
std::string MappedMessage(const std::string& message, const std::string& first, const std::string& new_first,
                          int joined) {
  absl::string_view rest = message;
  if (!absl::ConsumePrefix(&rest, first)) return message;
  absl::string_view more = rest;
  if (joined == 0 || !absl::ConsumePrefix(&more, " (and ")) return absl::StrCat(new_first, rest);
  const auto others = TakeNumber(&more);
  if (!others || !absl::ConsumePrefix(&more, " more)")) return absl::StrCat(new_first, rest);
  const int64_t left = static_cast<int64_t>(*others) - joined;
  return left > 0 ? absl::StrCat(new_first, " (and ", left, " more)", more) : absl::StrCat(new_first, more);
}

void AddOnce(const FieldViolation& violation, google::rpc::BadRequest* to) {
  for (const auto& known : to->field_violations()) {
    if (known.field() == violation.field && known.description() == violation.description) return;
  }
  auto* added = to->add_field_violations();
  added->set_field(violation.field);
  added->set_description(violation.description);
}

}  // namespace

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) SetDetails(details, result);
  return result;
}

std::string ReasonOf(const absl::Status& status) {
  const auto info = FindDetail<google::rpc::ErrorInfo>(DetailsOf(status));
  return info ? info->reason() : "";
}

std::vector<FieldViolation> ViolationsOf(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  const auto bad_request = FindDetail<google::rpc::BadRequest>(DetailsOf(status));
  if (!bad_request) return violations;
  for (const auto& violation : bad_request->field_violations()) {
    violations.push_back({violation.field(), violation.description()});
  }
  return violations;
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  const auto retry = FindDetail<google::rpc::RetryInfo>(DetailsOf(status));
  if (!retry) return std::nullopt;
  return absl::Seconds(retry->retry_delay().seconds()) + absl::Nanoseconds(retry->retry_delay().nanos());
}

absl::Status MapViolations(const absl::Status& status,
                           const std::function<FieldViolation(const FieldViolation&)>& map) {
  google::rpc::Status details = DetailsOf(status);
  std::string message(status.message());
  bool changed = false;
  for (auto& any : *details.mutable_details()) {
    google::rpc::BadRequest before;
    if (!any.Is<google::rpc::BadRequest>() || !any.UnpackTo(&before) || before.field_violations().empty()) continue;
    google::rpc::BadRequest after;
    for (const auto& violation : before.field_violations()) {
      AddOnce(map({violation.field(), violation.description()}), &after);
    }
    const int joined = before.field_violations_size() - after.field_violations_size();
    message = MappedMessage(message, LineOf(before.field_violations(0)), LineOf(after.field_violations(0)), joined);
    any.PackFrom(after);
    changed = true;
  }
  if (!changed) return status;
  absl::Status result(status.code(), message);
  SetDetails(details, result);
  return result;
}

std::string ShiftedText(absl::string_view text, uint32_t first_input, uint32_t first_run) {
  const std::pair<absl::string_view, uint32_t> lists[] = {
      {"inputs[", first_input}, {"runs[", first_run}, {"run ", first_run}};
  std::string shifted;
  bool quoted = false;
  while (!text.empty()) {
    // "hooks[0].runs[1]" is not a run, but the place of one in a list.
    const bool begins =
        !quoted && (shifted.empty() ||
                    (shifted.back() != '.' && !absl::ascii_isalnum(static_cast<unsigned char>(shifted.back()))));
    for (const auto& [list, first] : lists) {
      absl::string_view rest = text;
      if (!begins || !absl::ConsumePrefix(&rest, list)) continue;
      if (const auto number = TakeNumber(&rest)) {
        absl::StrAppend(&shifted, list, *number + first);
        text = rest;
      }
      break;
    }
    if (text.empty()) break;
    quoted ^= text.front() == '"';
    shifted.push_back(text.front());
    text.remove_prefix(1);
  }
  return shifted;
}

absl::Status ShiftIndices(const absl::Status& status, uint32_t first_input, uint32_t first_run) {
  return MapViolations(status, [=](const FieldViolation& violation) {
    return FieldViolation{ShiftedText(violation.field, first_input, first_run),
                          ShiftedText(violation.description, first_input, first_run)};
  });
}

std::string Describe(const absl::Status& status) {
  std::string text = absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
  if (const std::string reason = ReasonOf(status); !reason.empty()) absl::StrAppend(&text, " [", reason, "]");
  for (const FieldViolation& violation : ViolationsOf(status)) {
    const std::string line = absl::StrCat(violation.field, ": ", violation.description);
    // The message of a request with one violation is that violation.
    if (!absl::StrContains(status.message(), line)) absl::StrAppend(&text, "\n  ", line);
  }
  if (const auto retry = RetryAfterOf(status)) {
    absl::StrAppend(&text, "\n  try again in ", absl::FormatDuration(*retry));
  }
  return text;
}

}  // namespace hydrophone::client
