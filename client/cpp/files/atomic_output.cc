#include "client/cpp/files/atomic_output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone::client {
namespace {

namespace fs = std::filesystem;

absl::Status SystemError(const std::string& path, const char* what, int error) {
  return absl::UnknownError(absl::StrCat(path, ": ", what, ": ", std::generic_category().message(error)));
}

// "out/" and "out" are the same directory.
std::string WithoutTrailingSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

absl::Status CheckWritable(const std::string& directory) {
  if (::access(directory.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return SystemError(directory, "cannot write there", errno);
}

// Has the disk keep the names of a directory's files.
absl::Status KeepNames(const std::string& directory) {
  FileDescriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), directory);
  return opened.is_open() ? opened.Close() : opened.Error("cannot keep its names");
}

}  // namespace

std::string DirectoryOf(const std::string& path) {
  const std::string parent = fs::path(WithoutTrailingSlash(path)).parent_path().string();
  return parent.empty() ? "." : parent;
}

absl::Status CheckFileCanBeMade(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return absl::InvalidArgumentError(absl::StrCat(path, " is a directory"));
  return CheckWritable(DirectoryOf(path));
}

absl::Status CheckDirectoryCanBeMade(const std::string& path) {
  std::error_code error;
  if (fs::exists(path, error) && !(fs::is_directory(path, error) && fs::is_empty(path, error))) {
    return absl::InvalidArgumentError(absl::StrCat(path, " exists and is not an empty directory"));
  }
  return CheckWritable(DirectoryOf(path));
}

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::Create(const std::string& path) {
  if (absl::Status status = CheckFileCanBeMade(path); !status.ok()) return status;
  std::string temporary = path + ".tmp-XXXXXX";
  FileDescriptor file(::mkstemp(temporary.data()), path);
  if (!file.is_open()) return file.Error("cannot make it");
  std::unique_ptr<AtomicFile> output(new AtomicFile(path, std::move(temporary), std::move(file)));
  if (absl::Status status = output->file_.UsePermissionsOfNewFiles(); !status.ok()) return status;
  return output;
}

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::CreateAlone(const std::string& path) {
  constexpr mode_t kMode = 0666;
  std::string temporary = absl::StrCat(DirectoryOf(path), "/.", fs::path(path).filename().string(), ".partial");
  FileDescriptor file(::open(temporary.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, kMode), path);
  if (!file.is_open()) return file.Error("cannot make it");
  return std::unique_ptr<AtomicFile>(new AtomicFile(path, std::move(temporary), std::move(file)));
}

AtomicFile::AtomicFile(std::string path, std::string temporary, FileDescriptor file)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

absl::Status AtomicFile::Commit() {
  if (absl::Status status = file_.Close(); !status.ok()) return status;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return SystemError(path_, "cannot make it", errno);
  committed_ = true;
  return KeepNames(DirectoryOf(path_));
}

absl::StatusOr<std::unique_ptr<AtomicDirectory>> AtomicDirectory::Create(const std::string& path) {
  if (absl::Status status = CheckDirectoryCanBeMade(path); !status.ok()) return status;
  const std::string target = WithoutTrailingSlash(path);
  std::string temporary = target + ".tmp-XXXXXX";
  if (::mkdtemp(temporary.data()) == nullptr) return SystemError(path, "cannot make it", errno);
  std::unique_ptr<AtomicDirectory> output(new AtomicDirectory(target, std::move(temporary)));
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::chmod(output->temporary_.c_str(), 0777 & ~mask) != 0) return SystemError(path, "cannot set permissions", errno);
  return output;
}

AtomicDirectory::AtomicDirectory(std::string path, std::string temporary)
    : path_(std::move(path)), temporary_(std::move(temporary)) {}

AtomicDirectory::~AtomicDirectory() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
}

FileDescriptor AtomicDirectory::NewFile(const std::string& name) const {
  constexpr mode_t kMode = 0666;
  const std::string path = absl::StrCat(temporary_, "/", name);
  return FileDescriptor(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, kMode), path);
}

absl::Status AtomicDirectory::Commit() {
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return SystemError(path_, "cannot make it", errno);
  committed_ = true;
  return absl::OkStatus();
}

}  // namespace hydrophone::client
