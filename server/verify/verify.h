// Whether the numbers are right: all of Verify's arithmetic, over arrays that were captured and
// sent like any others.
#ifndef HYDROPHONE_SERVER_VERIFY_VERIFY_H_
#define HYDROPHONE_SERVER_VERIFY_VERIFY_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/core/engine.h"
#include "server/verify/captured_run.h"
#include "server/verify/mask.h"
#include "server/verify/report.h"

namespace hydrophone {

struct VerifyOptions {
  std::vector<int> layers;             // to report, ascending, 0 <= layer < N
  MaskRule mask;                       // which elements the masked correlations count
  bool keep_residuals = false;         // puts the residual arrays into the report
  bool train = false;                  // the captures are from train mode: dropout was on
  bool reference = true;               // compares with the float64 reference, which knows no dropout: eval mode only
  uint32_t max_reference_tokens = 64;  // the reference runs on the first so many tokens of all inputs
};

// What was captured. Rows are tokens, input after input. No two arrays that are compared come from
// one forward pass.
struct VerifyInputs {
  std::vector<std::vector<uint32_t>> token_ids;  // of each input; at least one input, none of them empty

  CapturedRun states;  // hidden_states[0..N] of all inputs, from a pass of their own
  CapturedRun blocks;  // BlockPoints() of all inputs, from another pass, which other sequences shared
  CapturedRun alone;   // AlonePoints() of the first input by itself

  int64_t blocks_batch_tokens = 0;  // tokens computed together with `blocks`, itself included
  // Tokens computed together with `alone`: more than the first input's when the server was busy.
  int64_t alone_batch_tokens = 0;
};

// What to capture for each of VerifyInputs' runs.
std::vector<HookPoint> StatePoints(const ModelInfo& model);
std::vector<HookPoint> BlockPoints(const ModelInfo& model, const VerifyOptions& options);
std::vector<HookPoint> AlonePoints(const ModelInfo& model);

// Measures everything. Heavy: reads the weight files again and, with options.reference, takes about
// a hundred times a forward pass over max_reference_tokens. Belongs on a worker thread, never on
// the engine's or on an I/O thread. Thread-safe.
//
// `stopped` is asked between pieces of work (every few milliseconds in the reference, between the
// others); once it is true the answer is CANCELLED. INTERNAL when an array is missing or has
// another size than token_ids say; errors of the engine pass through.
absl::StatusOr<VerifyReport> Verify(const Engine& engine, const VerifyInputs& inputs, const VerifyOptions& options,
                                    const std::function<bool()>& stopped);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_VERIFY_H_
