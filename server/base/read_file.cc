#include "server/base/read_file.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

absl::Status CannotRead(int error) {
  return absl::UnavailableError(absl::StrCat("cannot be read: ", std::generic_category().message(error)));
}

absl::Status TooManyBytes(const std::string& bytes, uint64_t max_bytes) {
  return absl::InvalidArgumentError(absl::StrCat("is ", bytes, " bytes, more than the ", max_bytes, " that are read"));
}

// The size that the file system tells, if the file has one: a pipe has none.
absl::StatusOr<uint64_t> SizeToReserve(const std::string& path, uint64_t max_bytes) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return CannotRead(EISDIR);
  if (!std::filesystem::is_regular_file(path, error)) return uint64_t{0};
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return CannotRead(error.value());
  if (size > max_bytes) return TooManyBytes(absl::StrCat(size), max_bytes);
  return static_cast<uint64_t>(size);
}

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, uint64_t max_bytes) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return CannotRead(errno);
  const absl::StatusOr<uint64_t> size = SizeToReserve(path, max_bytes);
  if (!size.ok()) return size.status();
  std::string bytes;
  bytes.reserve(*size);
  while (file) {
    const size_t before = bytes.size();
    bytes.resize(std::max(before + kPieceBytes, static_cast<size_t>(*size)));
    file.read(bytes.data() + before, static_cast<std::streamsize>(bytes.size() - before));
    bytes.resize(before + static_cast<size_t>(file.gcount()));
    if (bytes.size() > max_bytes) return TooManyBytes("over " + std::to_string(max_bytes), max_bytes);
  }
  if (file.bad()) return CannotRead(errno);
  return bytes;
}

}  // namespace hydrophone
