// A5: leaves outliers out of correlations, the same elements in several arrays.
//
// The quantile is computed here a second time, apart from answer/statistics, on purpose: Verify checks what the server
// sent, so it takes no arithmetic from the code that fills answers.
#ifndef HYDROPHONE_SERVER_VERIFY_MASK_H_
#define HYDROPHONE_SERVER_VERIFY_MASK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "server/verify/report.h"

namespace hydrophone {

// Says which elements pass.
struct MaskRule {
  enum class Kind : uint8_t {
    kMaxAbs,    // magnitude at most `value`
    kQuantile,  // magnitude at most the `value` quantile of its own array's magnitudes; 0 < value <= 1
  };
  Kind kind = Kind::kMaxAbs;
  double value = 30;
};

// NumPy's quantile (method "linear") of the magnitudes of the finite `values`, in float64; NaN when no
// value is finite.
double QuantileOfMagnitudes(absl::Span<const float> values, double quantile);

// One mask over several arrays of one size: 1 where the element passes in all of them, 0 where it
// fails in any. Elements that are not numbers never pass.
std::vector<uint8_t> JointMask(absl::Span<const absl::Span<const float>> arrays, const MaskRule& rule);

// What `mask`, [tokens, width], hides. Rows are tokens, input after input; `lengths` are the
// inputs' tokens.
MaskReport CountHidden(absl::Span<const uint8_t> mask, size_t width, absl::Span<const size_t> lengths);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_MASK_H_
