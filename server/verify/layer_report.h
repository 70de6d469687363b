// A3, A4 and A5 at one layer: how the block's reconstruction closes, the laminar correlations, what
// the mask hides.
#ifndef HYDROPHONE_SERVER_VERIFY_LAYER_REPORT_H_
#define HYDROPHONE_SERVER_VERIFY_LAYER_REPORT_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "server/verify/mask.h"
#include "server/verify/report.h"

namespace hydrophone {

// Four arrays of one size, [tokens, d].
struct LayerArrays {
  absl::Span<const float> before;  // H[L]
  absl::Span<const float> attn;    // attention delta
  absl::Span<const float> mlp;     // MLP delta
  absl::Span<const float> after;   // H[L+1], raw
};

// after - ((before + attn) + mlp), every step rounded to float32, in this order and no other: then
// it is 0 to the bit.
std::vector<float> ReconstructionResidual(const LayerArrays& arrays);

// How many elements of `after` have other bits than (before + attn) + mlp.
size_t ReconstructionMismatches(const LayerArrays& arrays);

// A bound on 1 - r of after - before against attn + mlp that the two float32 additions of the
// residual stream alone explain. They move an element by at most 2^-24 (|before + attn| + |after|);
// arrays x and x + e have 1 - r of at most |e|^2 / |x - mean(x)|^2.
double IncrementBound(const LayerArrays& arrays);

// `width` is d; `lengths` are the inputs' tokens, input after input.
LayerReport MakeLayerReport(int layer, const LayerArrays& arrays, size_t width, absl::Span<const size_t> lengths,
                            const MaskRule& mask, bool keep_residual);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_LAYER_REPORT_H_
