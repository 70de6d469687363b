// Files and directories that appear whole, or not at all.
#ifndef HYDROPHONE_CLIENT_CPP_FILES_ATOMIC_OUTPUT_H_
#define HYDROPHONE_CLIENT_CPP_FILES_ATOMIC_OUTPUT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/files/file_descriptor.h"

namespace hydrophone::client {

// The directory that a path lies in: "." for a plain name.
std::string DirectoryOf(const std::string& path);

// A file under a temporary name beside its own; Commit renames it, replacing what was there.
// Without Commit it disappears.
class AtomicFile {
 public:
  static absl::StatusOr<std::unique_ptr<AtomicFile>> Create(const std::string& path);

  // The same for a directory in which no other process writes: the temporary name is always the same, so that a file
  // that a killed process left is written over, and none gathers.
  static absl::StatusOr<std::unique_ptr<AtomicFile>> CreateAlone(const std::string& path);

  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  FileDescriptor& file() { return file_; }

  // Afterwards the disk has the file's bytes and its name.
  absl::Status Commit();

 private:
  AtomicFile(std::string path, std::string temporary, FileDescriptor file);

  const std::string path_;
  const std::string temporary_;
  FileDescriptor file_;
  bool committed_ = false;
};

// The same for a directory of files. `path` must not exist, or be an empty directory.
class AtomicDirectory {
 public:
  static absl::StatusOr<std::unique_ptr<AtomicDirectory>> Create(const std::string& path);
  ~AtomicDirectory();
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;

  // Opens a new file in it.
  FileDescriptor NewFile(const std::string& name) const;
  absl::Status Commit();

 private:
  AtomicDirectory(std::string path, std::string temporary);

  const std::string path_;
  const std::string temporary_;
  bool committed_ = false;
};

// Whether Create of the two would refuse: a directory that cannot be written in, or that is not empty. Callers ask
// before the work is done.
absl::Status CheckFileCanBeMade(const std::string& path);
absl::Status CheckDirectoryCanBeMade(const std::string& path);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_FILES_ATOMIC_OUTPUT_H_
