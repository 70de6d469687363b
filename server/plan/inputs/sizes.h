// Sums and products of sizes that a request asks for, which may exceed what 64 bits hold.
#ifndef HYDROPHONE_SERVER_PLAN_INPUTS_SIZES_H_
#define HYDROPHONE_SERVER_PLAN_INPUTS_SIZES_H_

#include <cstdint>
#include <limits>

namespace hydrophone {

// Sums and products stop at the largest number, which no limit allows.
inline constexpr uint64_t kMostSize = std::numeric_limits<uint64_t>::max();

inline uint64_t AddSizes(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? kMostSize : sum;
}

inline uint64_t MultiplySizes(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kMostSize : product;
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_INPUTS_SIZES_H_
