// A file opened for reading at any place.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_RANDOM_ACCESS_FILE_H_
#define HYDROPHONE_SERVER_CHECKPOINT_RANDOM_ACCESS_FILE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hydrophone {

// Holds the descriptor open, so that the same file is read even when another one is put under its name.
// Thread-safe.
class RandomAccessFile {
 public:
  // NOT_FOUND; INVALID_ARGUMENT when it is no regular file (links are followed); PERMISSION_DENIED.
  static absl::StatusOr<RandomAccessFile> Open(const std::string& path);

  RandomAccessFile(RandomAccessFile&& other) noexcept;
  RandomAccessFile& operator=(RandomAccessFile&& other) noexcept;
  ~RandomAccessFile();

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }  // in bytes, when the file was opened
  int descriptor() const { return descriptor_; }

  // Fills `bytes` from `offset` on. DATA_LOSS when the file ends before that.
  absl::Status Read(uint64_t offset, absl::Span<char> bytes) const;

 private:
  RandomAccessFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

// The whole of a file of at most `max_bytes`. INVALID_ARGUMENT when it has more.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, uint64_t max_bytes);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_RANDOM_ACCESS_FILE_H_
