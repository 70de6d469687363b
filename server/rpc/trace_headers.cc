#include "server/rpc/trace_headers.h"

#include <algorithm>
#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

constexpr char kRequestId[] = "x-request-id";
constexpr char kTraceparent[] = "traceparent";
constexpr size_t kMaxRequestIdBytes = 128;

// Where the parts of a traceparent lie, as in "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".
constexpr size_t kTraceId = 3, kParentId = 36, kFlags = 53, kEnd = 55;

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Hexadecimal digits of which one at least is not 0.
bool IsId(absl::string_view text) { return IsLowerHex(text) && text.find_first_not_of('0') != text.npos; }

// The value of the one header with this name; empty when there is none or more than one.
absl::string_view OnlyValue(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata, const char* name) {
  const auto [first, last] = metadata.equal_range(name);
  if (first == last || std::next(first) != last) return {};
  return {first->second.data(), first->second.size()};
}

}  // namespace

bool IsRequestId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxRequestIdBytes && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
}

std::string NewRequestId() {
  thread_local std::mt19937_64 random(std::random_device{}() | uint64_t{std::random_device{}()} << 32);
  const uint64_t high = random(), low = random();
  return absl::StrCat(absl::Hex(high, absl::kZeroPad16), absl::Hex(low, absl::kZeroPad16));
}

std::string NormalTraceparent(absl::string_view text) {
  if (text.size() < kEnd) return "";
  const absl::string_view version = text.substr(0, 2);
  const absl::string_view trace_id = text.substr(kTraceId, kParentId - 1 - kTraceId);
  const absl::string_view parent_id = text.substr(kParentId, kFlags - 1 - kParentId);
  const absl::string_view flags = text.substr(kFlags, 2);
  const bool dashes = text[kTraceId - 1] == '-' && text[kParentId - 1] == '-' && text[kFlags - 1] == '-';
  if (!dashes || !IsLowerHex(version) || version == "ff" || !IsLowerHex(flags)) return "";
  if (!IsId(trace_id) || !IsId(parent_id)) return "";
  if (text.size() > kEnd && (version == "00" || text[kEnd] != '-')) return "";
  return absl::StrCat("00-", trace_id, "-", parent_id, "-", flags);
}

TraceHeaders ReadTraceHeaders(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  const absl::string_view request_id = OnlyValue(metadata, kRequestId);
  return {IsRequestId(request_id) ? std::string(request_id) : NewRequestId(),
          NormalTraceparent(OnlyValue(metadata, kTraceparent))};
}

void AddTraceTrailers(const TraceHeaders& headers, grpc::CallbackServerContext* context) {
  context->AddTrailingMetadata(kRequestId, headers.request_id);
  if (!headers.traceparent.empty()) context->AddTrailingMetadata(kTraceparent, headers.traceparent);
}

}  // namespace hydrophone
