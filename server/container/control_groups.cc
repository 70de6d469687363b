#include "server/container/control_groups.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hydrophone {
namespace {

// A line of proc's self/cgroup, "4:cpu,cpuacct:/a/b"; version 2's has no controllers: "0::/a/b".
struct Membership {
  std::vector<std::string> controllers;
  std::string path;
};

std::vector<Membership> ReadMemberships(const SystemFiles& files) {
  std::vector<Membership> memberships;
  std::ifstream lines(absl::StrCat(files.proc, "/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() == 3) memberships.push_back({absl::StrSplit(parts[1], ','), parts[2]});
  }
  return memberships;
}

bool Names(const Membership& membership, absl::string_view controller) {
  for (const std::string& each : membership.controllers) {
    if (each == controller) return true;
  }
  return false;
}

// `root`, and the directory of each group on the way down to `path`.
void AddOnTheWay(const std::string& root, const std::string& path, std::vector<std::string>& directories) {
  std::string directory = root;
  directories.push_back(directory);
  for (absl::string_view name : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (name == "..") return;  // a group outside what this process may see
    absl::StrAppend(&directory, "/", name);
    directories.push_back(directory);
  }
}

}  // namespace

std::vector<std::string> ControlGroups(const SystemFiles& files, absl::string_view controller) {
  std::string version2, version1;
  for (const Membership& membership : ReadMemberships(files)) {
    if (Names(membership, "")) version2 = membership.path;
    if (Names(membership, controller)) version1 = membership.path;
  }
  std::vector<std::string> directories;
  AddOnTheWay(files.cgroup, version2, directories);
  AddOnTheWay(absl::StrCat(files.cgroup, "/", controller), version1, directories);
  return directories;
}

}  // namespace hydrophone
