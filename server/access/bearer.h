// Reading the header that carries a token.
#ifndef HYDROPHONE_SERVER_ACCESS_BEARER_H_
#define HYDROPHONE_SERVER_ACCESS_BEARER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hydrophone {

// The token in the values of a call's `authorization` metadata: "Bearer TOKEN", as RFC 6750 writes it. UNAUTHENTICATED
// when there is none (NO_TOKEN), or when it is written otherwise or stands twice (BAD_TOKEN). Messages hold nothing of
// what was got.
absl::StatusOr<absl::string_view> BearerToken(absl::Span<const absl::string_view> authorization);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ACCESS_BEARER_H_
