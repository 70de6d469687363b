// What is sent about a tensor's elements besides the elements: a checksum, and how many are not finite.
#ifndef HYDROPHONE_SERVER_ANSWER_ELEMENT_SUMS_H_
#define HYDROPHONE_SERVER_ANSWER_ELEMENT_SUMS_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace hydrophone {

// CRC-32 as zlib computes it.
uint32_t Crc32(absl::Span<const std::byte> bytes);

// How many of the values are infinite or not a number. Runs at the speed of memory.
uint64_t CountNonfinite(absl::Span<const float> values);

struct ElementSums {
  uint32_t crc32 = 0;      // of the values' own bytes
  uint64_t nonfinite = 0;  // as CountNonfinite
};

// Computes both in one pass over memory.
ElementSums SumsOf(absl::Span<const float> values);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ANSWER_ELEMENT_SUMS_H_
