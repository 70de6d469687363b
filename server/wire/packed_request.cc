#include "server/wire/packed_request.h"

#include <utility>

#include "server/base/gzip.h"
#include "server/core/errors.h"

namespace hydrophone {

absl::StatusOr<std::optional<std::string>> UnpackRequest(absl::string_view bytes, const Limits& limits) {
  if (!IsGzip(bytes)) return std::nullopt;
  size_t size = SizeUnpacked(bytes);
  if (size > limits.max_request_bytes) return TooLarge("request", size, limits.max_request_bytes, "bytes");
  absl::StatusOr<std::string> unpacked = Unpack(bytes);
  if (unpacked.ok()) return *std::move(unpacked);
  Violations violations;
  violations.Add("request", "got bytes that begin as a gzip stream does, expected one whole stream");
  return violations.ToStatus();
}

}  // namespace hydrophone
