// Out of memory becomes the status of the call that wanted it: where a thread begins a piece of work for a call.
#ifndef HYDROPHONE_SERVER_CORE_OUT_OF_MEMORY_H_
#define HYDROPHONE_SERVER_CORE_OUT_OF_MEMORY_H_

#include <new>
#include <type_traits>

#include "absl/status/status.h"
#include "server/base/memory_reserve.h"
#include "server/core/errors.h"

namespace hydrophone {

// What work() returns, an absl::Status or absl::StatusOr; OK for work that returns nothing. OutOfMemory() when memory
// ran out in it.
template <typename Work>
auto OrOutOfMemory(const Work& work) {
  using Result = std::conditional_t<std::is_void_v<decltype(work())>, absl::Status, decltype(work())>;
  RefillMemoryReserve();
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return Result(absl::OkStatus());
    } else {
      return Result(work());
    }
  } catch (const std::bad_alloc&) {
    return Result(OutOfMemory());
  }
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_OUT_OF_MEMORY_H_
