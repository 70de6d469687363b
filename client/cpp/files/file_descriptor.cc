#include "client/cpp/files/file_descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone::client {

FileDescriptor::FileDescriptor(int descriptor, std::string path)
    : descriptor_(descriptor), path_(std::move(path)), errno_(descriptor < 0 ? errno : 0) {}

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)), errno_(other.errno_) {}

FileDescriptor::~FileDescriptor() {
  if (is_open()) ::close(descriptor_);
}

absl::Status FileDescriptor::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      errno_ = errno;
      return Error("cannot write");
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status FileDescriptor::ReadAt(uint64_t offset, size_t count, char* to) const {
  while (count > 0) {
    const ssize_t got = ::pread(descriptor_, to, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      errno_ = got < 0 ? errno : EIO;
      return Error("cannot read back");
    }
    to += got;
    offset += static_cast<uint64_t>(got);
    count -= static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

absl::Status FileDescriptor::UsePermissionsOfNewFiles() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(descriptor_, 0666 & ~mask) == 0) return absl::OkStatus();
  errno_ = errno;
  return Error("cannot set permissions");
}

absl::Status FileDescriptor::Close() {
  const bool synced = ::fsync(descriptor_) == 0;
  if (!synced) errno_ = errno;
  const bool closed = ::close(std::exchange(descriptor_, -1)) == 0;
  if (synced && !closed) errno_ = errno;
  return synced && closed ? absl::OkStatus() : Error("cannot write");
}

absl::Status FileDescriptor::Error(absl::string_view what) const {
  return absl::UnknownError(absl::StrCat(path_, ": ", what, ": ", std::generic_category().message(errno_)));
}

}  // namespace hydrophone::client
