// How much memory this process may use.
#ifndef HYDROPHONE_SERVER_CONTAINER_MEMORY_LIMIT_H_
#define HYDROPHONE_SERVER_CONTAINER_MEMORY_LIMIT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "server/container/control_groups.h"

namespace hydrophone {

struct MemoryLimit {
  uint64_t bytes = 0;
  std::string file;  // that says so
};

// The smallest of what the process's control groups allow (memory.max of version 2, memory.limit_in_bytes of version 1)
// and of the machine's memory (proc's meminfo). Swap is not counted: a server that swaps does not answer in time.
// nullopt when no file says anything.
std::optional<MemoryLimit> FindMemoryLimit(const SystemFiles& files = {});

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CONTAINER_MEMORY_LIMIT_H_
