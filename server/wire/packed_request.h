// Requests that a client has compressed with gzip.
#ifndef HYDROPHONE_SERVER_WIRE_PACKED_REQUEST_H_
#define HYDROPHONE_SERVER_WIRE_PACKED_REQUEST_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/core/limits.h"

namespace hydrophone {

// The message inside a gzip stream; nothing when the bytes are no gzip stream. The two cannot be confused: gzip's first
// byte is no field's in protobuf. INVALID_ARGUMENT when the stream is damaged, and with reason TOO_LARGE when it
// unpacks to more than max_request_bytes: no more memory than that is ever taken.
absl::StatusOr<std::optional<std::string>> UnpackRequest(absl::string_view bytes, const Limits& limits);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_WIRE_PACKED_REQUEST_H_
