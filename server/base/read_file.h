// Reading a whole file into memory.
#ifndef HYDROPHONE_SERVER_BASE_READ_FILE_H_
#define HYDROPHONE_SERVER_BASE_READ_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace hydrophone {

// The bytes of the file at `path`, or of what comes through it if it is a pipe. UNAVAILABLE with the system's reason
// when it cannot be read; INVALID_ARGUMENT with both numbers when it has more than `max_bytes`, which is found before
// they are read. Messages do not name the file.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, uint64_t max_bytes);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_READ_FILE_H_
