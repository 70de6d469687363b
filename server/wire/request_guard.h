// Checks a request's bytes before they are parsed: the parser would spend memory on any bytes, and drop fields that it
// does not know.
#ifndef HYDROPHONE_SERVER_WIRE_REQUEST_GUARD_H_
#define HYDROPHONE_SERVER_WIRE_REQUEST_GUARD_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "server/core/limits.h"

namespace hydrophone {

// Walks over a message's encoding, guided by its type, without keeping anything. INVALID_ARGUMENT when the
// bytes are no protobuf (naming the field where they break off), when a field, an enum value or an
// encoding is not known here (each with its path and number), when a string is not UTF-8, or when
// messages nest deeper than the API's ever do; with reason TOO_LARGE beyond max_request_bytes or
// max_request_elements. Thread-safe.
absl::Status CheckWireFormat(absl::string_view bytes, const google::protobuf::Descriptor* type, const Limits& limits);

// Checks the bytes, then parses them into `message`.
absl::Status ParseRequest(absl::string_view bytes, const Limits& limits, google::protobuf::Message* message);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_WIRE_REQUEST_GUARD_H_
