// What the numbers of the CPU depend on beside the weights, and what they do not depend on: its instruction set and the
// number of threads.
#ifndef HYDROPHONE_SERVER_MODEL_ENGINE_NUMERICS_H_
#define HYDROPHONE_SERVER_MODEL_ENGINE_NUMERICS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hydrophone {

// The version of the contract that says in which order and by which operations the CPU computes every number
// (kernels/cpu/README.md). Raised by a change that gives other bits, as a test of the bits themselves demands.
inline constexpr int kNumericContract = 2;

// "contract=2" on every CPU that fuses a product with its sum, "contract=2;products=rounded" on others: equal strings,
// with equal weights, promise equal bits.
std::string CpuNumerics();

// The instructions that products are computed with, "AVX-512" for instance: a fact that no bit depends on.
absl::string_view CpuInstructionSet();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_ENGINE_NUMERICS_H_
