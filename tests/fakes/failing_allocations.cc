#include "tests/fakes/failing_allocations.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

constexpr size_t kNone = SIZE_MAX;
std::atomic<size_t> failing_from = kNone;
std::atomic<size_t> failures = 0;
thread_local bool spared = false;

// Memory, or null where this allocation is to fail.
void* Allocate(size_t size) {
  if (size < failing_from || spared) return std::malloc(size == 0 ? 1 : size);
  ++failures;
  return nullptr;
}

}  // namespace

void* operator new(size_t size) {
  while (true) {
    if (void* memory = Allocate(size)) return memory;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace hydrophone {

FailingAllocations::FailingAllocations(size_t bytes) {
  failures = 0;
  failing_from = bytes;
}
FailingAllocations::~FailingAllocations() { failing_from = kNone; }
void FailingAllocations::SpareThisThread() { spared = true; }
size_t FailingAllocations::failed() const { return failures; }

}  // namespace hydrophone

// AddressSanitizer, where the program is built with it: libraries may have got from its operator new what comes to this
// operator delete.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "alloc_dealloc_mismatch=0"; }
