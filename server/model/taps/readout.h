// Reads numbers off the logits of rows: the logit lens and the metrics.
#ifndef HYDROPHONE_SERVER_MODEL_TAPS_READOUT_H_
#define HYDROPHONE_SERVER_MODEL_TAPS_READOUT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "server/core/plan.h"

namespace hydrophone {

// Computes the logits [n, V] of rows [n, d].
using LogitsOf = std::function<at::Tensor(const at::Tensor& rows)>;

// What ReadLogits reads from.
struct ReadoutRows {
  at::Tensor rows;                    // [n, d]
  at::Tensor baseline_rows;           // [n, d], for kDivergence: the baseline's; for final_divergence: the final states
  std::vector<uint32_t> next_tokens;  // [n], for kNextTokenLoss
};

// What `readout`, which gives scores, asks of each row: [n, numbers per row]. Log probabilities, entropies and
// divergences are sums in float64 over the float32 logits, rounded once. Of equal logits the lower id ranks first; NaN
// ranks last. Holds the logits of at most 64 rows at a time.
at::Tensor ReadLogits(const Readout& readout, const ReadoutRows& rows, const LogitsOf& logits_of);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_TAPS_READOUT_H_
