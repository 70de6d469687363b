// A tree of files as Linux shows processes and control groups.
#ifndef HYDROPHONE_TESTS_SERVER_CONTAINER_SYSTEM_TREE_H_
#define HYDROPHONE_TESTS_SERVER_CONTAINER_SYSTEM_TREE_H_

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/container/control_groups.h"
#include "tests/fakes/checkpoint_files.h"

namespace hydrophone {

class SystemTree {
 public:
  // Writes a file of "proc/..." or "cgroup/...", with the folders that it lies in.
  void Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(directory_.File(name)).parent_path());
    directory_.Write(name, text + "\n");
  }
  void Memory(uint64_t kibibytes) const {
    Write("proc/meminfo", absl::StrCat("MemTotal:  ", kibibytes, " kB\nMemFree:  17 kB\nSwapTotal:  999999999 kB"));
  }
  SystemFiles files() const { return {directory_.File("proc"), directory_.File("cgroup")}; }
  std::string File(const std::string& name) const { return directory_.File(name); }

 private:
  TempDirectory directory_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_SERVER_CONTAINER_SYSTEM_TREE_H_
