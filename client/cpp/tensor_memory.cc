#include "client/cpp/tensor_memory.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace hydrophone::client {
namespace {

constexpr size_t kHugePageBytes = size_t{2} << 20;
// Blocks of at least this size are made of huge pages and kept.
constexpr size_t kLargeBytes = 2 * kHugePageBytes;

// The large blocks that are not in use.
class KeptBlocks {
 public:
  // Takes a block that is not much larger than `size`; null when there is none.
  TensorMemory Take(size_t size) {
    MutexLock lock(&mutex_);
    for (auto block = blocks_.begin(); block != blocks_.end(); ++block) {
      if (block->size < size || block->size / 2 > size) continue;
      TensorMemory taken(block->memory, {block->size});
      bytes_ -= block->size;
      blocks_.erase(block);
      return taken;
    }
    return nullptr;
  }

  // Keeps the block; returns false when too much is kept already.
  bool Keep(char* memory, size_t size) {
    MutexLock lock(&mutex_);
    if (size > kMaxKeptBytes - bytes_) return false;
    blocks_.push_back({memory, size});
    bytes_ += size;
    return true;
  }

 private:
  struct Block {
    char* memory;
    size_t size;
  };

  Mutex mutex_;
  std::vector<Block> blocks_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of the blocks
};

KeptBlocks& Kept() {
  static auto* const kept = new KeptBlocks;  // never destroyed, because tensors may be freed while the program ends
  return *kept;
}

}  // namespace

void FreeTensorMemory::operator()(char* block) const {
  if (size < kLargeBytes || !Kept().Keep(block, size)) std::free(block);
}

TensorMemory AllocateTensorMemory(size_t size) {
  const bool large = size >= kLargeBytes;
  const size_t alignment = large ? kHugePageBytes : kTensorAlignment;
  if (size > SIZE_MAX - alignment) return nullptr;
  const size_t rounded = (size + alignment - 1) / alignment * alignment;
  if (large) {
    if (TensorMemory kept = Kept().Take(rounded)) return kept;
  }
  TensorMemory memory(static_cast<char*>(std::aligned_alloc(alignment, rounded)), {rounded});
  if (large && memory != nullptr) {
    ::madvise(memory.get(), rounded, MADV_HUGEPAGE);  // without huge pages it is only slower
  }
  return memory;
}

void KeepFreedMemory() {
#ifdef __GLIBC__
  constexpr int kLargestHeapBlock = 32 << 20;  // larger blocks are mapped for themselves and unmapped when freed
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(kMaxKeptBytes));
  ::mallopt(M_MMAP_THRESHOLD, kLargestHeapBlock);
#endif
}

}  // namespace hydrophone::client
