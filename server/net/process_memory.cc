#include "server/net/process_memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

namespace hydrophone {
namespace {

class RealMemory : public ProcessMemory {
 public:
  RealMemory() : statm_(open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {}

  // The file stays open: when descriptors are used up, the memory is still watched.
  uint64_t Resident() const override {
    char text[128] = "";
    if (pread(statm_, text, sizeof(text) - 1, 0) <= 0) return 0;
    unsigned long size = 0, resident = 0, shared = 0;
    if (sscanf(text, "%lu %lu %lu", &size, &resident, &shared) != 3 || shared > resident) return 0;
    return (resident - shared) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }

  void GiveBack() override { malloc_trim(0); }

 private:
  const int statm_;
};

}  // namespace

ProcessMemory& SystemMemory() {
  static RealMemory* memory = new RealMemory;
  return *memory;
}

}  // namespace hydrophone
