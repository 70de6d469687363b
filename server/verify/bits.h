// Comparing float32 arrays: to the bit, and by their largest difference.
#ifndef HYDROPHONE_SERVER_VERIFY_BITS_H_
#define HYDROPHONE_SERVER_VERIFY_BITS_H_

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/types/span.h"

namespace hydrophone {

// 0 and -0 differ; a NaN equals itself.
inline bool SameBits(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); }

// How many elements of two arrays of one size differ.
inline size_t CountDifferentBits(absl::Span<const float> a, absl::Span<const float> b) {
  size_t count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += !SameBits(a[i], b[i]);
  return count;
}

// The larger of two magnitudes, NaN when either is NaN: a maximum must not lose one.
inline double LargerOrNan(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  return a < b ? b : a;
}

// The largest magnitude; 0 without values, NaN when one of the values is NaN.
inline double LargestMagnitude(absl::Span<const float> values) {
  double largest = 0;
  for (float value : values) largest = LargerOrNan(largest, std::abs(static_cast<double>(value)));
  return largest;
}

// Largest |a - b| of two arrays of one size, in float64; NaN when any difference is.
inline double LargestDifference(absl::Span<const float> a, absl::Span<const float> b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = LargerOrNan(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_BITS_H_
