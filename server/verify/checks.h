// Makes checks; the named ones are about the server as a whole.
#ifndef HYDROPHONE_SERVER_VERIFY_CHECKS_H_
#define HYDROPHONE_SERVER_VERIFY_CHECKS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "server/core/engine.h"
#include "server/core/model_info.h"
#include "server/verify/layer_report.h"
#include "server/verify/report.h"

namespace hydrophone {

// Passes when value <= tolerance; NaN does not. `measure`: what the value is, in a few words.
Check MakeCheck(std::string name, std::string measure, double value, double tolerance, std::string detail);

// For a largest difference that must be none, to the bit: tolerance 0, and no element may have other bits, even where
// `value` (the largest difference) does not see it, as between 0 and -0. `detail` is continued with
// how many differ.
Check MakeExactCheck(std::string name, double value, size_t different_elements, std::string detail);

// "A2.inference_mode".
Check InferenceModeCheck(const ComputeInfo& compute);

// "A3.reconstruction", over all reported layers.
Check ReconstructionCheck(absl::Span<const LayerReport> layers);

// "A6.dropout", of train mode: the share of elements in which H[L+1] equals (H[L] + attention delta)
// + MLP delta with the deltas as c_proj gives them, before the dropouts: `equal` of `total`. It must
// be small.
Check DropoutCheck(size_t equal, size_t total);

// "A4.increment": 1 - r of H[L+1]-H[L] against the deltas' sum, at the layer that uses most of what
// rounding explains. `bounds` are the layers' IncrementBound; a layer whose bound is 1 or more
// (nothing is added there, or less than the stream resolves) is left out.
Check IncrementCheck(absl::Span<const LayerReport> layers, absl::Span<const double> bounds);

// "weights.digest".
Check WeightsCheck(const WeightsAudit& audit, const ModelInfo& model);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_CHECKS_H_
