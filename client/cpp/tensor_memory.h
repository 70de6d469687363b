// Memory for large tensors.
#ifndef HYDROPHONE_CLIENT_CPP_TENSOR_MEMORY_H_
#define HYDROPHONE_CLIENT_CPP_TENSOR_MEMORY_H_

#include <cstddef>
#include <memory>

namespace hydrophone::client {

// Where a tensor's bytes begin: a multiple of this, which suits every vector instruction.
inline constexpr size_t kTensorAlignment = 64;

// The most bytes of freed tensors that the process keeps for the next ones.
inline constexpr size_t kMaxKeptBytes = size_t{64} << 20;

// Gives a block back.
struct FreeTensorMemory {
  size_t size = 0;  // the block's, in bytes
  void operator()(char* block) const;
};
using TensorMemory = std::unique_ptr<char, FreeTensorMemory>;

// At least `size` bytes, not initialised, aligned to kTensorAlignment; null when there is no memory. Thread-safe.
//
// The first write to a page costs about as much as receiving the page, and a caller that drops tensors as they come
// would pay that for all of them. So large blocks are made of huge pages where the system gives them on request, and
// some blocks are kept when they are freed.
TensorMemory AllocateTensorMemory(size_t size);

// Lets the process's malloc keep up to kMaxKeptBytes of freed memory too. A program's main calls this before it
// receives anything: gRPC receives into blocks of malloc's of up to 4 MiB, which glibc otherwise gives back to the
// system after nearly every message, and that is a third of what receiving costs. The library does not call it by
// itself, because it changes the whole process.
void KeepFreedMemory();

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_TENSOR_MEMORY_H_
