#include "client/cpp/files/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace hydrophone::client {
namespace {

constexpr uint64_t kCopyBytes = uint64_t{1} << 20;

// The same on a file system that makes no file without a name: a process that is killed in between leaves it.
FileDescriptor OpenAndUnlink(const std::string& directory) {
  std::string path = directory + "/.hydrophone-spool-XXXXXX";
  FileDescriptor file(::mkstemp(path.data()), path);
  if (file.is_open()) ::unlink(path.c_str());
  return file;
}

FileDescriptor OpenWithoutName(const std::string& directory) {
  constexpr mode_t kMode = 0600;
  const int descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kMode);
  if (descriptor >= 0) return {descriptor, directory + "/(spool)"};
  return OpenAndUnlink(directory);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Spool>> Spool::Create(const std::string& directory) {
  FileDescriptor file = OpenWithoutName(directory);
  if (!file.is_open()) return file.Error("cannot write in its directory");
  return std::unique_ptr<Spool>(new Spool(std::move(file)));
}

absl::StatusOr<Segment> Spool::Append(absl::string_view bytes) {
  if (absl::Status status = file_.Write(bytes); !status.ok()) return status;
  const Segment segment{size_, bytes.size()};
  size_ += bytes.size();
  return segment;
}

absl::Status Spool::CopyTo(const Segment& segment, FileDescriptor& file) {
  std::string buffer(static_cast<size_t>(std::min(segment.size, kCopyBytes)), '\0');
  for (uint64_t done = 0; done < segment.size;) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(segment.size - done, buffer.size()));
    if (absl::Status status = file_.ReadAt(segment.offset + done, count, buffer.data()); !status.ok()) return status;
    if (absl::Status status = file.Write(absl::string_view(buffer).substr(0, count)); !status.ok()) return status;
    done += count;
  }
  return absl::OkStatus();
}

}  // namespace hydrophone::client
