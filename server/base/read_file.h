// Reading a whole file into memory.
#ifndef HYDROPHONE_SERVER_BASE_READ_FILE_H_
#define HYDROPHONE_SERVER_BASE_READ_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

// The bytes of the regular file at `path`. NOT_FOUND when there is none; INVALID_ARGUMENT when it is no regular file (a
// pipe would be waited for), or, with both numbers, when it has more than `max_bytes`; UNAVAILABLE with the system's
// reason when it cannot be read. Messages do not name the file: see Annotate.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, uint64_t max_bytes);

// Whether a file that begins so is what Git LFS leaves in the place of a large one until it is pulled.
bool IsLfsPointer(absl::string_view first_bytes);
inline constexpr char kLfsPointer[] = "is a Git LFS pointer, not the file itself; git lfs pull fetches it";

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_READ_FILE_H_
