#include "server/base/read_file.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

absl::Status CannotBeRead(const std::error_code& error) {
  return absl::UnavailableError(absl::StrCat("cannot be read: ", error.message()));
}

// The size in bytes of a file that may be read.
absl::StatusOr<uint64_t> SizeOf(const std::string& path, uint64_t max_bytes) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return absl::NotFoundError("no such file");
  if (error) return CannotBeRead(error);
  if (!std::filesystem::is_regular_file(status)) return absl::InvalidArgumentError("not a regular file");
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return CannotBeRead(error);
  if (size <= max_bytes) return static_cast<uint64_t>(size);
  return absl::InvalidArgumentError(absl::StrCat("is ", size, " bytes, more than the ", max_bytes, " that are read"));
}

}  // namespace

bool IsLfsPointer(absl::string_view first_bytes) { return absl::StartsWith(first_bytes, "version https://git-lfs"); }

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, uint64_t max_bytes) {
  const absl::StatusOr<uint64_t> size = SizeOf(path, max_bytes);
  if (!size.ok()) return size.status();
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string bytes(*size, '\0');
  if (file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) return bytes;
  // Without a reason of the system's, the file has become shorter meanwhile.
  if (errno == 0) return absl::UnavailableError("cannot be read: it was cut while it was read");
  return CannotBeRead(std::error_code(errno, std::generic_category()));
}

}  // namespace hydrophone
