// Memory for large tensors.
#ifndef HYDROPHONE_CLIENT_CPP_TENSOR_MEMORY_H_
#define HYDROPHONE_CLIENT_CPP_TENSOR_MEMORY_H_

#include <cstddef>
#include <memory>

namespace hydrophone::client {

// Where a tensor's bytes begin: a multiple of this, which suits every vector instruction.
inline constexpr size_t kTensorAlignment = 64;

// What freed tensors leave behind for the next ones, at most, in the whole process.
inline constexpr size_t kMaxKeptBytes = size_t{64} << 20;

// Gives a block back.
struct FreeTensorMemory {
  size_t size = 0;  // of the block
  void operator()(char* block) const;
};
using TensorMemory = std::unique_ptr<char, FreeTensorMemory>;

// At least `size` bytes, not initialised, aligned to kTensorAlignment; null when there is no memory. Thread-safe.
//
// To write to a page for the first time costs about as much as receiving it does, and whoever takes tensors as they
// come and drops them would pay it for all of them: so large blocks are made of huge pages where the system has them
// for those who ask, and some are kept when they are freed.
TensorMemory AllocateTensorMemory(size_t size);

// For a program's main, before it receives anything: has the process's malloc keep up to kMaxKeptBytes of freed memory
// too. gRPC receives into blocks of up to 4 MiB of malloc's, which glibc otherwise gives back to the system after
// nearly every message: a third of what receiving costs. Not done by the library itself, since it changes all of the
// process.
void KeepFreedMemory();

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_TENSOR_MEMORY_H_
