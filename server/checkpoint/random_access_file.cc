#include "server/checkpoint/random_access_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/messages.h"

namespace hydrophone {

absl::StatusOr<RandomAccessFile> RandomAccessFile::Open(const std::string& path) {
  // With O_NONBLOCK, a pipe in the place of a file does not stop the server; for a regular file it changes nothing.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, Printable(path));
  RandomAccessFile file(path, descriptor);
  struct stat status;
  if (::fstat(descriptor, &status) != 0) return absl::ErrnoToStatus(errno, Printable(path));
  if (!S_ISREG(status.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(Printable(path), ": is no regular file"));
  }
  file.size_ = static_cast<uint64_t>(status.st_size);
  return file;
}

RandomAccessFile::RandomAccessFile(RandomAccessFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

RandomAccessFile& RandomAccessFile::operator=(RandomAccessFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

RandomAccessFile::~RandomAccessFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

absl::Status RandomAccessFile::Read(uint64_t offset, absl::Span<char> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, Printable(path_));
    if (got == 0) {
      return absl::DataLossError(
          absl::StrCat(Printable(path_), ": ends at byte ", offset, ", cut short while it was read"));
    }
    bytes.remove_prefix(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, uint64_t max_bytes) {
  const absl::StatusOr<RandomAccessFile> file = RandomAccessFile::Open(path);
  if (!file.ok()) return file.status();
  if (file->size() > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(Printable(path), ": has ", file->size(), " bytes, expected at most ", max_bytes));
  }
  std::string bytes(file->size(), '\0');
  if (absl::Status status = file->Read(0, absl::MakeSpan(bytes)); !status.ok()) return status;
  return bytes;
}

}  // namespace hydrophone
