#include "client/cpp/errors.h"

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

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
  if (details.details_size() > 0) status.SetPayload(kDetailsUrl, absl::Cord(details.SerializeAsString()));
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

// "LIST[3].text" with another number, if the field is in that list.
std::string ShiftField(const std::string& field, absl::string_view list, uint32_t offset) {
  const std::string prefix = absl::StrCat(list, "[");
  const size_t end = field.find(']');
  if (!absl::StartsWith(field, prefix) || end == std::string::npos) return field;
  uint32_t index = 0;
  if (!absl::SimpleAtoi(field.substr(prefix.size(), end - prefix.size()), &index)) return field;
  return absl::StrCat(prefix, index + offset, field.substr(end));
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

absl::Status ShiftIndices(const absl::Status& status, uint32_t first_input, uint32_t first_run) {
  google::rpc::Status details = DetailsOf(status);
  if (details.details_size() == 0) return status;
  for (auto& any : *details.mutable_details()) {
    google::rpc::BadRequest bad_request;
    if (!any.Is<google::rpc::BadRequest>() || !any.UnpackTo(&bad_request)) continue;
    for (auto& violation : *bad_request.mutable_field_violations()) {
      violation.set_field(ShiftField(ShiftField(violation.field(), "inputs", first_input), "runs", first_run));
    }
    any.PackFrom(bad_request);
  }
  absl::Status shifted = status;
  SetDetails(details, shifted);
  return shifted;
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
