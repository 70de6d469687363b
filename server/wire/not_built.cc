#include "server/wire/not_built.h"

#include "server/core/errors.h"

namespace hydrophone {

absl::Status CheckBuilt(const v1::ExtractRequest& request) {
  if (request.max_new_tokens() > 0) return NotBuilt("max_new_tokens", "generating tokens");
  return absl::OkStatus();
}

}  // namespace hydrophone
