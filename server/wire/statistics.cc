#include "server/wire/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

namespace hydrophone {

uint64_t CountNonfinite(absl::Span<const float> values) {
  // Infinities and NaNs are the values whose exponent bits are all set. Blocks keep the counter
  // narrow, as the loop's lanes are.
  constexpr uint32_t kExponent = 0x7F800000;
  constexpr size_t kBlock = size_t{1} << 20;
  uint64_t nonfinite = 0;
  for (size_t begin = 0; begin < values.size(); begin += kBlock) {
    absl::Span<const float> block = values.subspan(begin, kBlock);
    uint32_t in_block = 0;
    for (float value : block) {
      uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof(bits));
      in_block += (bits & kExponent) == kExponent ? 1u : 0u;
    }
    nonfinite += in_block;
  }
  return nonfinite;
}

Moments MomentsOf(absl::Span<const float> values) {
  Moments moments;
  double sum = 0;
  double squares = 0;
  moments.min = std::numeric_limits<double>::infinity();
  moments.max = -std::numeric_limits<double>::infinity();
  for (float single : values) {
    double value = single;
    if (!std::isfinite(value)) continue;
    ++moments.count;
    sum += value;
    squares += value * value;
    moments.min = std::min(moments.min, value);
    moments.max = std::max(moments.max, value);
  }
  moments.nonfinite = values.size() - moments.count;
  if (moments.count == 0) {
    moments.mean = moments.std = moments.min = moments.max = moments.l2 =
        std::numeric_limits<double>::quiet_NaN();
    return moments;
  }
  auto count = static_cast<double>(moments.count);
  moments.mean = sum / count;
  moments.l2 = std::sqrt(squares);
  double deviations = 0;
  for (float single : values) {
    double deviation = static_cast<double>(single) - moments.mean;
    if (std::isfinite(deviation)) deviations += deviation * deviation;
  }
  moments.std = std::sqrt(deviations / count);
  return moments;
}

}  // namespace hydrophone
