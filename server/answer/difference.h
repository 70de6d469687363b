// How two runs' values differ.
#ifndef HYDROPHONE_SERVER_ANSWER_DIFFERENCE_H_
#define HYDROPHONE_SERVER_ANSWER_DIFFERENCE_H_

#include <cstdint>

#include "absl/types/span.h"

namespace hydrophone {

// How `run` differs from `baseline`, which has as many values. Accumulated in float64, over the places where both
// are finite.
struct Difference {
  double difference_l2 = 0;
  double difference_max = 0;  // largest magnitude
  double run_l2 = 0;
  double baseline_l2 = 0;
  double cosine = 0;       // NaN when a norm is 0
  double pearson_r = 0;    // NaN when one of the two is constant
  uint64_t count = 0;      // places counted
  uint64_t nonfinite = 0;  // places left out
};
Difference DifferenceOf(absl::Span<const float> run, absl::Span<const float> baseline);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ANSWER_DIFFERENCE_H_
