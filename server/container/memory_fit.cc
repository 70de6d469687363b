#include "server/container/memory_fit.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace hydrophone {

absl::Status FitMemory(const MemoryLimit& memory, uint64_t weight_bytes, const GivenLimits& given, Limits* limits) {
  const uint64_t budget = limits->response_budget_bytes;
  const uint64_t least = given.response_budget_bytes ? budget : std::min(budget, kSmallestResponseBudget);
  const uint64_t fixed = weight_bytes + kOtherMemoryBytes;
  if (fixed > memory.bytes || least > memory.bytes - fixed) {
    return absl::FailedPreconditionError(
        absl::StrCat("the memory does not suffice: ", memory.file, " allows ", memory.bytes, " bytes; needed are ",
                     fixed + least, ": ", weight_bytes, " for the weights, ", least, " for responses (",
                     given.response_budget_bytes ? "--response_budget_bytes" : "the smallest budget", ") and ",
                     kOtherMemoryBytes, " for everything else"));
  }
  const uint64_t chosen = given.response_budget_bytes ? budget : std::min(budget, memory.bytes - fixed);
  limits->response_budget_bytes = chosen;
  limits->slice_bytes = chosen / kSlicesInBudget;
  return absl::OkStatus();
}

}  // namespace hydrophone
