#include "server/base/memory_reserve.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace hydrophone {
namespace {

std::atomic<bool> kept = false;
std::atomic<void*> reserve = nullptr;

void FreeAndThrow() {
  std::free(reserve.exchange(nullptr));
  throw std::bad_alloc();
}

}  // namespace

void KeepMemoryReserve() {
  kept = true;
  RefillMemoryReserve();
  std::set_new_handler(FreeAndThrow);
}

void RefillMemoryReserve() {
  if (!kept || reserve != nullptr) return;
  void* const memory = std::malloc(kMemoryReserveBytes);
  void* none = nullptr;
  if (!reserve.compare_exchange_strong(none, memory)) std::free(memory);
}

}  // namespace hydrophone
