// The two-byte types of checkpoints and of the wire: float32 rounded to them, and back.
#ifndef HYDROPHONE_SERVER_BASE_HALF_H_
#define HYDROPHONE_SERVER_BASE_HALF_H_

#include <bit>
#include <cstdint>

namespace hydrophone {

// IEEE 754 binary16, to nearest, ties to even: 1 sign bit, 5 of exponent (bias 15), 10 of fraction. Magnitudes from
// 65520 on become infinite; NaNs stay NaNs.
inline uint16_t HalfOf(float value) {
  constexpr uint32_t kInfinite = 0x7F800000;
  constexpr uint32_t kTooLarge = 0x47800000;        // 65536, the first power of two past the range
  constexpr uint32_t kSmallestNormal = 0x38800000;  // 2^-14
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  uint32_t half = 0x7C00;
  if (magnitude > kInfinite) {
    half = 0x7E00 | ((magnitude >> 13) & 0x3FF);
  } else if (magnitude < kSmallestNormal) {
    // Added to 0.5, whose last bit is worth 2^-24, the value is rounded by the addition to a multiple of that: a
    // subnormal's last bit.
    half = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - std::bit_cast<uint32_t>(0.5f);
  } else if (magnitude < kTooLarge) {
    // Rebias, then round at bit 13; a carry moves into the exponent, and past the largest into infinity.
    const uint32_t rebiased = magnitude - (uint32_t{112} << 23);
    half = (rebiased + 0xFFF + ((rebiased >> 13) & 1)) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

// Exact: subnormals become normal, a NaN keeps its sign and payload. Without branches, so that the compiler can make
// vector instructions of a loop over it.
constexpr float FromHalf(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7FFFu;
  const uint32_t normal = (magnitude << 13) + (uint32_t{127 - 15} << 23);  // the exponent's bias changes
  const uint32_t special = (magnitude << 13) | 0x7F800000u;                // infinity and NaN
  const uint32_t subnormal = std::bit_cast<uint32_t>(static_cast<float>(magnitude) * 0x1p-24f);
  const uint32_t widened = magnitude < 0x0400u ? subnormal : (magnitude < 0x7C00u ? normal : special);
  return std::bit_cast<float>(sign | widened);
}

// bfloat16, to nearest, ties to even: float32's upper half. Magnitudes that round past its largest become infinite;
// NaNs stay NaNs.
inline uint16_t BfloatOf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

// Exact.
constexpr float FromBfloat(uint16_t bfloat) { return std::bit_cast<float>(uint32_t{bfloat} << 16); }

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_HALF_H_
