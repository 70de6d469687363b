// The names by which a call can be found again in logs, the caller's and the server's.
//
// Callers send them as metadata, and get them back in the trailers of every call, refused ones too:
//   x-request-id   any name of the call; a call without one gets one
//   traceparent    W3C Trace Context level 1: version-trace_id-parent_id-flags
#ifndef HYDROPHONE_SERVER_RPC_TRACE_HEADERS_H_
#define HYDROPHONE_SERVER_RPC_TRACE_HEADERS_H_

#include <grpcpp/server_context.h>

#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace hydrophone {

struct TraceHeaders {
  std::string request_id;   // never empty
  std::string traceparent;  // empty: none, or a malformed one
};

// Whether a caller's request id is taken: 1 to 128 printable ASCII characters without spaces.
bool IsRequestId(absl::string_view text);

// 32 hexadecimal digits, random.
std::string NewRequestId();

// The traceparent as version 00 writes it, or "" for a malformed one. Of a later version the parts that version 00
// knows are read, as the standard asks.
std::string NormalTraceparent(absl::string_view text);

// What a call's metadata says. A header that is given twice counts as malformed.
TraceHeaders ReadTraceHeaders(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

// Adds them to the call's trailers. To be called before Finish.
void AddTraceTrailers(const TraceHeaders& headers, grpc::CallbackServerContext* context);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_TRACE_HEADERS_H_
