// Numbers about a tensor's elements.
#ifndef HYDROPHONE_SERVER_ANSWER_STATISTICS_H_
#define HYDROPHONE_SERVER_ANSWER_STATISTICS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace hydrophone {

// Moments of the finite values, accumulated in float64, the deviation in a second pass. All moments are NaN when there
// are no finite values.
struct Moments {
  double mean = 0;
  double std = 0;  // the population's
  double min = 0;
  double max = 0;
  double l2 = 0;           // square root of the sum of squares
  uint64_t count = 0;      // values counted
  uint64_t nonfinite = 0;  // values left out
};
Moments MomentsOf(absl::Span<const float> values);

// The share of the finite values whose magnitude is above `threshold`. NaN when there are none.
double ShareAbove(absl::Span<const float> values, float threshold);

// Quantiles of the finite values, linearly interpolated in float64 as NumPy's quantile does by default; `quantiles` are
// from 0 to 1. NaN when there are no finite values. Sorts a copy.
std::vector<double> QuantilesOf(absl::Span<const float> values, absl::Span<const float> quantiles);

// The places of the `count` finite values of largest magnitude, largest first; of equal ones, the first comes first.
// Fewer when there are not as many.
std::vector<size_t> LargestMagnitudes(absl::Span<const float> values, size_t count);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ANSWER_STATISTICS_H_
