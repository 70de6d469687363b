// A whole file's bytes in memory: mapped, or copied.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_MAPPED_FILE_H_
#define HYDROPHONE_SERVER_CHECKPOINT_MAPPED_FILE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/checkpoint/random_access_file.h"

namespace hydrophone {

// Read-only bytes, beginning at a multiple of 64, that `owner` keeps. The file may be closed meanwhile.
struct FileBytes {
  absl::string_view bytes;
  std::shared_ptr<const void> owner;
  bool mapped = false;
};

// Maps the file: memory is shared with other processes and filled on first use. When the file is cut short afterwards,
// reading the missing part ends the process with SIGBUS.
absl::StatusOr<FileBytes> MapFile(const RandomAccessFile& file);

// Gives the pages that lie within `part` of a mapped file back to the system, which fills them again when they are
// read.
void GiveBackPages(absl::string_view part);

// Copies the file into memory of its own. RESOURCE_EXHAUSTED when there is not enough memory.
absl::StatusOr<FileBytes> CopyFile(const RandomAccessFile& file);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_MAPPED_FILE_H_
