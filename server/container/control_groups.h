// The control groups that this process is in: what a container is made of.
#ifndef HYDROPHONE_SERVER_CONTAINER_CONTROL_GROUPS_H_
#define HYDROPHONE_SERVER_CONTAINER_CONTROL_GROUPS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hydrophone {

// Where Linux shows processes and control groups; tests give trees of their own.
struct SystemFiles {
  std::string proc = "/proc";
  std::string cgroup = "/sys/fs/cgroup";
};

// The directories that may hold limits of `controller` ("cpu", "memory") for this process: that of its group and of
// every group around it, of version 2 and of version 1, as proc's self/cgroup names them. A limit holds whichever of
// them sets it. Inside a container the names may be those that the host gives the groups, which the container does not
// see: the container's own group is then the outermost directory, which is always among these.
std::vector<std::string> ControlGroups(const SystemFiles& files, absl::string_view controller);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CONTAINER_CONTROL_GROUPS_H_
