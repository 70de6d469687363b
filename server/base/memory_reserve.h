// What is left for the answers when memory runs out.
#ifndef HYDROPHONE_SERVER_BASE_MEMORY_RESERVE_H_
#define HYDROPHONE_SERVER_BASE_MEMORY_RESERVE_H_

#include <cstddef>

namespace hydrophone {

// gRPC ends the process when it gets no memory, and it needs some to say that a call was refused. The reserve is
// address space alone until it is used: nothing is written to it.
inline constexpr size_t kMemoryReserveBytes = size_t{16} << 20;

// Sets the reserve aside, for as long as the process lives. From then on an operator new that fails frees the reserve,
// for what comes after it, and still throws std::bad_alloc.
void KeepMemoryReserve();

// Sets the reserve aside again if it was freed and there is memory. Thread-safe; costs nothing while it is there.
void RefillMemoryReserve();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_MEMORY_RESERVE_H_
