// What a status carries travels as absl::Status payloads, each a short text:
//
//   hydrophone/reason                   "BAD_REQUEST"
//   hydrophone/violations               how many in all, decimal
//   hydrophone/violation/I/field        of the I-th kept violation, I from 0
//   hydrophone/violation/I/description
//   hydrophone/retry_ms                 decimal
#include "server/core/errors.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/status_payload.h"

namespace hydrophone {
namespace {

constexpr char kReason[] = "hydrophone/reason";
constexpr char kViolations[] = "hydrophone/violations";
constexpr char kRetryMs[] = "hydrophone/retry_ms";

std::string FieldUrl(size_t index) { return absl::StrCat("hydrophone/violation/", index, "/field"); }
std::string DescriptionUrl(size_t index) { return absl::StrCat("hydrophone/violation/", index, "/description"); }

std::optional<std::string> Payload(const absl::Status& status, absl::string_view url) {
  std::optional<std::string> text;
  if (auto payload = status.GetPayload(url)) text = std::string(*payload);
  return text;
}

std::optional<int64_t> NumberPayload(const absl::Status& status, absl::string_view url) {
  const std::optional<std::string> text = Payload(status, url);
  int64_t number = 0;
  if (!text.has_value() || !absl::SimpleAtoi(*text, &number)) return std::nullopt;
  return number;
}

absl::Status WithReason(absl::StatusCode code, absl::string_view message, absl::string_view reason) {
  absl::Status status(code, message);
  SetPayload(status, kReason, reason);
  return status;
}

void AttachViolations(absl::Status& status, const std::vector<Violation>& kept, size_t total) {
  SetPayload(status, kViolations, absl::StrCat(total));
  for (size_t i = 0; i < kept.size(); ++i) {
    SetPayload(status, FieldUrl(i), kept[i].field);
    SetPayload(status, DescriptionUrl(i), kept[i].description);
  }
}

// A status about one field, which is also its one violation.
absl::Status AboutField(absl::StatusCode code, absl::string_view reason, absl::string_view field,
                        absl::string_view description) {
  absl::Status status = WithReason(code, absl::StrCat(field, ": ", description), reason);
  AttachViolations(status, {{std::string(field), std::string(description)}}, 1);
  return status;
}

absl::Status WithRetry(absl::Status status, absl::Duration retry_after) {
  const int64_t milliseconds = std::max<int64_t>(0, absl::ToInt64Milliseconds(retry_after));
  SetPayload(status, kRetryMs, absl::StrCat(milliseconds));
  return status;
}

}  // namespace

void Violations::Add(std::string field, std::string description) {
  ++total_;
  if (kept_.size() < kKept) kept_.push_back({std::move(field), std::move(description)});
}

absl::Status Violations::ToStatus() const {
  if (empty()) return absl::OkStatus();
  std::string message = absl::StrCat(kept_[0].field, ": ", kept_[0].description);
  if (total_ > 1) absl::StrAppend(&message, " (and ", total_ - 1, " more)");
  absl::Status status = WithReason(absl::StatusCode::kInvalidArgument, message, "BAD_REQUEST");
  AttachViolations(status, kept_, total_);
  return status;
}

absl::Status PreconditionFailed(absl::string_view field, absl::string_view got, absl::string_view expected) {
  return AboutField(absl::StatusCode::kFailedPrecondition, "PRECONDITION", field,
                    absl::StrCat("got \"", got, "\", expected \"", expected, "\""));
}

absl::Status NeedsTokenizer(absl::string_view field, absl::string_view got, absl::string_view instead) {
  const std::string expected = instead.empty() ? std::string() : absl::StrCat("; expected ", instead);
  return AboutField(absl::StatusCode::kFailedPrecondition, "PRECONDITION", field,
                    absl::StrCat("got ", got, ", but the model's directory has no tokenizer", expected));
}

absl::Status TooLarge(absl::string_view field, uint64_t needed, uint64_t limit, absl::string_view unit) {
  return AboutField(absl::StatusCode::kInvalidArgument, "TOO_LARGE", field,
                    absl::StrCat("needs ", needed, " ", unit, ", the limit is ", limit));
}

absl::Status Overloaded(absl::string_view message, absl::Duration retry_after) {
  return WithRetry(WithReason(absl::StatusCode::kResourceExhausted, message, "OVERLOADED"), retry_after);
}

absl::Status Stalled() {
  return WithReason(absl::StatusCode::kResourceExhausted,
                    "the stream was not read while other requests waited for its memory", "STALLED");
}

absl::Status OutOfMemory() {
  static const auto& status =
      *new absl::Status(WithRetry(WithReason(absl::StatusCode::kResourceExhausted,
                                             "the server ran out of memory while it answered", "OUT_OF_MEMORY"),
                                  absl::Seconds(1)));
  return status;
}

absl::Status CallerLimit(absl::string_view message, absl::Duration retry_after) {
  return WithRetry(WithReason(absl::StatusCode::kResourceExhausted, message, "CALLER_LIMIT"), retry_after);
}

absl::Status Unauthenticated(absl::string_view reason, absl::string_view message) {
  return WithReason(absl::StatusCode::kUnauthenticated, message, reason);
}

absl::Status RoleMissing(absl::string_view message) {
  return WithReason(absl::StatusCode::kPermissionDenied, message, "ROLE");
}

absl::Status Draining(absl::Duration retry_after) {
  return WithRetry(
      WithReason(absl::StatusCode::kUnavailable, "the server is shutting down; another one may answer", "DRAINING"),
      retry_after);
}

absl::Span<const absl::string_view> RefusalReasons() {
  static constexpr absl::string_view kReasons[] = {"BAD_REQUEST", "TOO_LARGE", "NOT_BUILT", "PRECONDITION",
                                                   "OVERLOADED",  "DRAINING",  "STALLED"};
  return kReasons;
}

std::string ReasonOf(const absl::Status& status) { return Payload(status, kReason).value_or(""); }

std::vector<Violation> ViolationsOf(const absl::Status& status) {
  std::vector<Violation> violations;
  for (size_t i = 0; i < Violations::kKept; ++i) {
    std::optional<std::string> field = Payload(status, FieldUrl(i));
    std::optional<std::string> description = Payload(status, DescriptionUrl(i));
    if (!field.has_value() || !description.has_value()) break;
    violations.push_back({*std::move(field), *std::move(description)});
  }
  return violations;
}

size_t ViolationTotalOf(const absl::Status& status) {
  return static_cast<size_t>(NumberPayload(status, kViolations).value_or(0));
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  const std::optional<int64_t> milliseconds = NumberPayload(status, kRetryMs);
  if (!milliseconds.has_value()) return std::nullopt;
  return absl::Milliseconds(*milliseconds);
}

}  // namespace hydrophone
