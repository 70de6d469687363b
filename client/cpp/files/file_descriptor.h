// An open file, which is closed when the object is destroyed.
#ifndef HYDROPHONE_CLIENT_CPP_FILES_FILE_DESCRIPTOR_H_
#define HYDROPHONE_CLIENT_CPP_FILES_FILE_DESCRIPTOR_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hydrophone::client {

// Owns a descriptor; errors name the file and the system's reason. Not thread-safe.
class FileDescriptor {
 public:
  // `descriptor`: as open(2) gives it; negative for a failure, whose errno is kept for Error().
  FileDescriptor(int descriptor, std::string path);
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) = delete;
  ~FileDescriptor();

  bool is_open() const { return descriptor_ >= 0; }

  // Writes all of `bytes` at the end.
  absl::Status Write(absl::string_view bytes);

  // Reads exactly `count` bytes from `offset` on.
  absl::Status ReadAt(uint64_t offset, size_t count, char* to) const;

  // Gives the file the permissions that a newly made file has.
  absl::Status UsePermissionsOfNewFiles();

  // Brings everything to the disk and closes. The errors of delayed writes show here.
  absl::Status Close();

  // "PATH: WHAT: the system's reason" of the last failure.
  absl::Status Error(absl::string_view what) const;

 private:
  int descriptor_;
  std::string path_;
  mutable int errno_ = 0;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_FILES_FILE_DESCRIPTOR_H_
