#include "server/rpc/status.h"

#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/core/errors.h"
#include "server/core/out_of_memory.h"

namespace hydrophone {
namespace {

constexpr size_t kMaxMessageBytes = 1024;  // it travels twice: in grpc-message and in the details
constexpr size_t kMaxDetailsBytes = kMaxStatusBytes - kMaxMessageBytes;
constexpr size_t kMaxFieldBytes = 256;
constexpr size_t kMaxDescriptionBytes = 512;
constexpr absl::Duration kUsualRetry = absl::Seconds(1);

// By the codes' numbers.
constexpr const char* kCodeNames[] = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};

// At most `limit` bytes of `text`, which is UTF-8, cut between characters.
std::string Shortened(absl::string_view text, size_t limit) {
  constexpr absl::string_view kMark = "...";
  if (text.size() <= limit) return std::string(text);
  size_t end = limit - kMark.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), kMark);
}

// The code that the API promises for an absl::StatusCode, and the usual reason for that code.
struct Meaning {
  grpc::StatusCode code;
  const char* reason;
};

Meaning MeaningOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return {grpc::StatusCode::INVALID_ARGUMENT, "BAD_REQUEST"};
    case absl::StatusCode::kUnimplemented:
      return {grpc::StatusCode::UNIMPLEMENTED, "NOT_BUILT"};
    case absl::StatusCode::kFailedPrecondition:
      return {grpc::StatusCode::FAILED_PRECONDITION, "PRECONDITION"};
    case absl::StatusCode::kUnauthenticated:
      return {grpc::StatusCode::UNAUTHENTICATED, "NO_TOKEN"};
    case absl::StatusCode::kPermissionDenied:
      return {grpc::StatusCode::PERMISSION_DENIED, "ROLE"};
    case absl::StatusCode::kResourceExhausted:
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"};
    case absl::StatusCode::kUnavailable:
      return {grpc::StatusCode::UNAVAILABLE, "DRAINING"};
    case absl::StatusCode::kCancelled:
      return {grpc::StatusCode::CANCELLED, "CANCELLED"};
    case absl::StatusCode::kDeadlineExceeded:
      return {grpc::StatusCode::DEADLINE_EXCEEDED, "DEADLINE"};
    default:
      return {grpc::StatusCode::INTERNAL, "INTERNAL"};
  }
}

// How long to wait before another try: what the status says, else the usual pause for the codes that another try can
// cure.
std::optional<absl::Duration> RetryOf(const absl::Status& status) {
  if (std::optional<absl::Duration> said = RetryAfterOf(status)) return said;
  bool passes =
      status.code() == absl::StatusCode::kResourceExhausted || status.code() == absl::StatusCode::kUnavailable;
  return passes ? std::optional<absl::Duration>(kUsualRetry) : std::nullopt;
}

void AddErrorInfo(const absl::Status& status, std::string reason, google::rpc::Status* out) {
  google::rpc::ErrorInfo info;
  info.set_domain("hydrophone");
  info.set_reason(std::move(reason));
  if (size_t total = ViolationTotalOf(status); total > 0) {
    (*info.mutable_metadata())["violations"] = absl::StrCat(total);
  }
  out->add_details()->PackFrom(info);
}

void AddRetryInfo(absl::Duration retry, google::rpc::Status* out) {
  google::rpc::RetryInfo info;
  int64_t milliseconds = absl::ToInt64Milliseconds(retry);
  info.mutable_retry_delay()->set_seconds(milliseconds / 1000);
  info.mutable_retry_delay()->set_nanos(static_cast<int32_t>(milliseconds % 1000) * 1'000'000);
  out->add_details()->PackFrom(info);
}

// Adds as many of the violations, from the first on, as there is room for.
void AddBadRequest(const std::vector<Violation>& violations, google::rpc::Status* out) {
  google::rpc::BadRequest bad;
  for (const Violation& violation : violations) {
    auto* each = bad.add_field_violations();
    each->set_field(Shortened(violation.field, kMaxFieldBytes));
    each->set_description(Shortened(violation.description, kMaxDescriptionBytes));
    google::rpc::Status with = *out;
    with.add_details()->PackFrom(bad);
    if (with.ByteSizeLong() > kMaxDetailsBytes) {
      bad.mutable_field_violations()->RemoveLast();
      break;
    }
  }
  if (bad.field_violations_size() > 0) out->add_details()->PackFrom(bad);
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  CallEnd end = EndOf(status);
  google::rpc::Status details;
  details.set_code(end.code);
  details.set_message(Shortened(status.message(), kMaxMessageBytes));
  AddErrorInfo(status, std::move(end.reason), &details);
  if (std::optional<absl::Duration> retry = RetryOf(status)) AddRetryInfo(*retry, &details);
  AddBadRequest(ViolationsOf(status), &details);
  return grpc::Status(end.code, details.message(), details.SerializeAsString());
}

grpc::Status FinalStatus(const absl::Status& status, grpc::CallbackServerContext* context) {
  grpc::Status described;
  const absl::Status done = OrOutOfMemory([&] {
    described = ToGrpcStatus(status);
    if (std::optional<absl::Duration> retry = RetryOf(status)) {
      context->AddTrailingMetadata("grpc-retry-pushback-ms", absl::StrCat(absl::ToInt64Milliseconds(*retry)));
    }
  });
  if (done.ok()) return described;
  return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "out of memory");  // so short a string needs no memory
}

CallEnd EndOf(const absl::Status& status) {
  if (status.ok()) return {grpc::StatusCode::OK, ""};
  const Meaning meaning = MeaningOf(status.code());
  const std::string reason = ReasonOf(status);
  return {meaning.code, reason.empty() ? meaning.reason : reason};
}

const char* CodeName(grpc::StatusCode code) {
  const auto number = static_cast<size_t>(code);
  return number < std::size(kCodeNames) ? kCodeNames[number] : "Unknown";
}

std::vector<std::string> CodeNames() { return {std::begin(kCodeNames), std::end(kCodeNames)}; }

}  // namespace hydrophone
