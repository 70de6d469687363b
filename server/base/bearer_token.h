// What a bearer token may be.
#ifndef HYDROPHONE_SERVER_BASE_BEARER_TOKEN_H_
#define HYDROPHONE_SERVER_BASE_BEARER_TOKEN_H_

#include "absl/strings/string_view.h"

namespace hydrophone {

// Whether it has at least one character, and letters, digits and -._~+/= alone: RFC 6750, section 2.1.
bool IsBearerToken(absl::string_view text);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_BEARER_TOKEN_H_
