#include "server/answer/element_sums.h"

#include <bit>

#include "server/base/crc32.h"
#include "server/core/vector_clones.h"

namespace hydrophone {
namespace {

// Values that are summed at a time: few enough to stay in the first cache between one sum and the other, and to be
// counted in 32 bits, as the loop's lanes are.
constexpr size_t kPiece = size_t{4} << 10;

// Infinities and NaNs are the values whose exponent bits are all set.
HYDROPHONE_VECTOR_CLONES uint32_t CountInPiece(const float* values, size_t size) {
  constexpr uint32_t kExponent = 0x7F800000;
  uint32_t nonfinite = 0;
  for (size_t i = 0; i < size; ++i) {
    nonfinite += (std::bit_cast<uint32_t>(values[i]) & kExponent) == kExponent ? 1u : 0u;
  }
  return nonfinite;
}

}  // namespace

uint32_t Crc32(absl::Span<const std::byte> bytes) { return ExtendCrc32(0, bytes.data(), bytes.size()); }

uint64_t CountNonfinite(absl::Span<const float> values) {
  uint64_t nonfinite = 0;
  for (size_t begin = 0; begin < values.size(); begin += kPiece) {
    const absl::Span<const float> piece = values.subspan(begin, kPiece);
    nonfinite += CountInPiece(piece.data(), piece.size());
  }
  return nonfinite;
}

ElementSums SumsOf(absl::Span<const float> values) {
  ElementSums sums;
  for (size_t begin = 0; begin < values.size(); begin += kPiece) {
    const absl::Span<const float> piece = values.subspan(begin, kPiece);
    sums.crc32 = ExtendCrc32(sums.crc32, piece.data(), piece.size() * sizeof(float));
    sums.nonfinite += CountInPiece(piece.data(), piece.size());
  }
  return sums;
}

}  // namespace hydrophone
