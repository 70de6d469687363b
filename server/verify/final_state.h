// B1 to B5: the hidden states against what enters the blocks, and the last one against ln_f.
#ifndef HYDROPHONE_SERVER_VERIFY_FINAL_STATE_H_
#define HYDROPHONE_SERVER_VERIFY_FINAL_STATE_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "server/verify/report.h"

namespace hydrophone {

// Arrays of one size, [tokens, d]. `states` come from another pass than the rest.
struct FinalStateArrays {
  std::vector<absl::Span<const float>> states;        // hidden_states[0..N]
  std::vector<absl::Span<const float>> block_inputs;  // what enters block 0..N-1
  absl::Span<const float> raw;                        // the last block's output
  absl::Span<const float> ln_f_of_raw;                // ln_f applied to `raw`, by itself
};

// The rows' L2 norms, averaged, in float64; NaN without rows.
double MeanNorm(absl::Span<const float> values, size_t width);

FinalStateReport MakeFinalStateReport(const FinalStateArrays& arrays, size_t width, bool keep_residual);

// "B1.block_inputs", "B2.raw_is_not_normalised", "B3.ln_f".
std::vector<Check> FinalStateChecks(const FinalStateArrays& arrays, const FinalStateReport& report);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_FINAL_STATE_H_
