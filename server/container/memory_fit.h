// Fits the limits on what requests hold into the memory that there is.
#ifndef HYDROPHONE_SERVER_CONTAINER_MEMORY_FIT_H_
#define HYDROPHONE_SERVER_CONTAINER_MEMORY_FIT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "server/container/memory_limit.h"
#include "server/core/limits.h"

namespace hydrophone {

// What the server needs beside weights and response budget, bytes: the program and its libraries, the activations of
// one batch, requests, what gRPC holds for its connections, and freed memory that the C library keeps.
inline constexpr uint64_t kOtherMemoryBytes = uint64_t{512} << 20;

// The smallest response budget that is chosen, bytes: all tensors of a short text.
inline constexpr uint64_t kSmallestResponseBudget = uint64_t{64} << 20;

// How many full slices the response budget has room for: of several callers, each with one that is sent and one that is
// computed.
inline constexpr uint64_t kSlicesInBudget = 16;

// Which of the limits were given by flag or environment, and are not lowered.
struct GivenLimits {
  bool response_budget_bytes = false;
};

// Lowers limits.response_budget_bytes, unless it was given, to what weights and kOtherMemoryBytes leave, and sets
// limits.slice_bytes. FAILED_PRECONDITION, with all the numbers, when kSmallestResponseBudget does not fit, or the
// budget that was given. No limit changes with an error.
absl::Status FitMemory(const MemoryLimit& memory, uint64_t weight_bytes, const GivenLimits& given, Limits* limits);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CONTAINER_MEMORY_FIT_H_
