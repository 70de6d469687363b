// gzip streams (RFC 1952), unpacked within a bound.
#ifndef HYDROPHONE_SERVER_BASE_GZIP_H_
#define HYDROPHONE_SERVER_BASE_GZIP_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

// Whether the bytes begin as a gzip stream does.
bool IsGzip(absl::string_view bytes);

// The number of bytes that a gzip stream says, in its last four bytes, that it unpacks to. 0 of fewer than four bytes.
size_t SizeUnpacked(absl::string_view gzip);

// Unpacks a stream of one member into SizeUnpacked bytes of memory, which the caller has checked. INVALID_ARGUMENT when
// the stream is damaged, says a wrong size, or has something after it.
absl::StatusOr<std::string> Unpack(absl::string_view gzip);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_GZIP_H_
