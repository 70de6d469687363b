#include "client/cpp/files/spool.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace hydrophone::client {
namespace {

constexpr uint64_t kCopyBytes = uint64_t{1} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<Spool>> Spool::Create(const std::string& directory) {
  std::string path = directory + "/.hydrophone-spool-XXXXXX";
  FileDescriptor file(::mkstemp(path.data()), path);
  if (!file.is_open()) return file.Error("cannot write in its directory");
  ::unlink(path.c_str());
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
