// The memory that this process holds.
#ifndef HYDROPHONE_SERVER_NET_PROCESS_MEMORY_H_
#define HYDROPHONE_SERVER_NET_PROCESS_MEMORY_H_

#include <cstdint>

namespace hydrophone {

class ProcessMemory {
 public:
  virtual ~ProcessMemory() = default;

  // Bytes in memory that are no file's; 0 when the system does not tell.
  virtual uint64_t Resident() const = 0;

  // Gives memory that was freed back to the system. The page faults of its next use cost time.
  virtual void GiveBack() = 0;
};

// The system's. Lives as long as the program.
ProcessMemory& SystemMemory();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_NET_PROCESS_MEMORY_H_
