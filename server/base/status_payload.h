// Text that an absl::Status carries beside its message.
#ifndef HYDROPHONE_SERVER_BASE_STATUS_PAYLOAD_H_
#define HYDROPHONE_SERVER_BASE_STATUS_PAYLOAD_H_

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

// Sets the payload of this type to a copy of `text`. The Cord is made of a view, since what makes one of a std::string
// that goes is a template, whose name clang 18 spells otherwise than the g++ that built the distribution's Abseil.
inline void SetPayload(absl::Status& status, absl::string_view type_url, absl::string_view text) {
  status.SetPayload(type_url, absl::Cord(text));
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_STATUS_PAYLOAD_H_
