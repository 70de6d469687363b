// Compares captured values with the float64 reference, to find what the sums of A3 and B3 cannot see: a wrong delta is
// added all the same. The reference (Engine::RunReference) is a forward pass written separately from the one that is
// checked, on purpose.
#ifndef HYDROPHONE_SERVER_VERIFY_REFERENCE_CHECK_H_
#define HYDROPHONE_SERVER_VERIFY_REFERENCE_CHECK_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "server/core/hook_points.h"
#include "server/verify/report.h"

namespace hydrophone {

// Compares points one by one; one check a point, "reference.<canonical name>". Its value: the
// largest difference at a position relative to the largest magnitude that the reference has at that
// position. By position, since a first token a hundred times larger than the rest would hide
// whatever is wrong with them.
class ReferenceComparison {
 public:
  // What a float32 forward may miss, relatively. Measured (Hugging Face in float32 against itself
  // in float64, 64 random tokens; random checkpoints of 3 x 60 to 12 x 768, with and without
  // outliers of 3000): at most 1.3e-6 at any point. The mistakes that must be found change
  // the point that shows them most by more: the other GELU by 1.8e-4, an epsilon of 1e-6 for 1e-5 by 2.8e-4, float16
  // weights by 6.7e-4, bfloat16 by 5.5e-3. A checkpoint whose scores are not scaled and large
  // (softmax saturated) magnifies float32's rounding to 3e-4 at its fourth block: there the check
  // fails, and rightly says that float32 does not settle those values.
  static constexpr double kTolerance = 5e-5;

  explicit ReferenceComparison(size_t width) : width_(width) {}

  // One input's values at one point, [tokens, width] both; the same point again for the next input.
  void Add(HookPoint point, size_t input, absl::Span<const double> reference, absl::Span<const float> captured);

  // In the order of the points' first values.
  std::vector<Check> Checks() const;

 private:
  struct Worst {
    HookPoint point;
    size_t tokens = 0;    // compared, in all inputs
    double relative = 0;  // NaN when a difference is NaN
    size_t input = 0;
    size_t position = 0;
    size_t dimension = 0;
    double got = 0;
    double expected = 0;
  };

  Worst& Of(HookPoint point);
  void CompareRow(Worst& worst, size_t input, size_t position, absl::Span<const double> reference,
                  absl::Span<const float> captured) const;

  size_t width_;
  std::vector<Worst> points_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_REFERENCE_CHECK_H_
