// Keeps bytes on disk until it is known where in a file they belong.
#ifndef HYDROPHONE_CLIENT_CPP_FILES_SPOOL_H_
#define HYDROPHONE_CLIENT_CPP_FILES_SPOOL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cpp/files/file_descriptor.h"

namespace hydrophone::client {

// The place of some bytes in a spool.
struct Segment {
  uint64_t offset = 0;
  uint64_t size = 0;
};

// A file without a name, which disappears with this object, and however the program ends. Not thread-safe.
class Spool {
 public:
  // Makes the file in `directory`, which should be on the file system of the final file.
  static absl::StatusOr<std::unique_ptr<Spool>> Create(const std::string& directory);

  absl::StatusOr<Segment> Append(absl::string_view bytes);

  // Writes a segment's bytes at the end of another file.
  absl::Status CopyTo(const Segment& segment, FileDescriptor& file);

 private:
  explicit Spool(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;
  uint64_t size_ = 0;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_FILES_SPOOL_H_
