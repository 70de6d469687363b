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

// What a float32 forward pass may miss at a point, relatively, and why. Measured on the default model, and on random
// checkpoints of 124M whose weights have deviation 0.02 and 0.1: at most 1.8e-6, 3.1e-6 and 2.5e-5 outside the softmax.
// The mistakes that must be found change the point that shows them most by more: the other GELU by 1.8e-4, an epsilon
// of 1e-6 for 1e-5 by 2.8e-4, float16 weights by 6.7e-4, bfloat16 by 5.5e-3. Where the rounding of a checkpoint's large
// scores is magnified further, a check fails, and rightly says that float32 does not settle those values.
struct Allowance {
  double tolerance = 0;
  const char* reason = "";
};

Allowance AllowanceAt(Site site);

// A softmax turns a difference e between scores into one of up to 2 e, relatively, between probabilities, and so
// between what they mix. The checks of a layer's probabilities, z and results allow that much besides, with e as
// measured at the layer's scores, if the scores' own check passes.

// Compares points one by one; one check a point, "reference.<canonical name>". Its value: the largest difference at a
// position relative to the largest magnitude that the reference has at that position, in all heads. By position, since
// a first token a hundred times larger than the rest would hide whatever is wrong with them. Of scores and patterns a
// position is a query; what they hold for later keys (-inf, 0) has to be equal.
class ReferenceComparison {
 public:
  // One input's value at one point, in the point's shape, both of one size; the same point again for the next input.
  void Add(HookPoint point, size_t input, size_t tokens, absl::Span<const double> reference,
           absl::Span<const float> captured);

  // In the order of the points' first values.
  std::vector<Check> Checks() const;

 private:
  struct Worst {
    HookPoint point;
    size_t tokens = 0;    // compared, in all inputs
    double relative = 0;  // NaN when a difference is NaN
    double absolute = 0;  // the largest difference; of squares, between keys that are not later
    size_t input = 0;
    size_t position = 0;
    size_t head = 0;       // of squares
    size_t dimension = 0;  // of the position's row; of squares, the key
    double got = 0;
    double expected = 0;
  };

  Worst& Of(HookPoint point);
  Allowance AllowanceOf(const Worst& worst) const;

  std::vector<Worst> points_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_REFERENCE_CHECK_H_
