// Whether the numbers are right: all of Verify's arithmetic, over arrays that were captured and
// sent like any others.
#ifndef HYDROPHONE_SERVER_VERIFY_VERIFY_H_
#define HYDROPHONE_SERVER_VERIFY_VERIFY_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
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
  uint32_t max_reference_tokens = 64;  // the reference runs on the first so many tokens of all inputs; 1 or more
};

// What was captured. Rows are tokens, input after input. No two arrays that are compared come from
// one forward pass.
struct VerifyInputs {
  std::vector<std::vector<uint32_t>> token_ids;  // of each input; at least one input, none of them empty

  CapturedRun states;  // hidden_states[0..N] of all inputs, from a pass of their own
  CapturedRun blocks;  // BlockPoints() of all inputs, from another pass, which other sequences shared
  CapturedRun alone;   // AlonePoints() of the first input by itself
  // ReferencePoints() of the inputs' beginnings (ReferenceLengths()), from a pass over these alone; later tokens cannot
  // change their values. Each array holds the inputs' values one after another. Empty without options.reference.
  CapturedRun reference;

  int64_t blocks_batch_tokens = 0;  // tokens computed together with `blocks`, itself included
  // Tokens computed together with `alone`: more than the first input's when the server was busy.
  int64_t alone_batch_tokens = 0;
};

// What to capture for each of VerifyInputs' runs.
std::vector<HookPoint> StatePoints(const ModelInfo& model);
std::vector<HookPoint> BlockPoints(const ModelInfo& model, const VerifyOptions& options);
std::vector<HookPoint> AlonePoints(const ModelInfo& model);
// Every point of the catalogue that is not flat, in the layers asked for, and that is not among the others: those are
// compared with the reference where they are. A flat point is another one's value, whose check is its own.
std::vector<HookPoint> ReferencePoints(const ModelInfo& model, const VerifyOptions& options);

// How many tokens of each input the reference runs on, where inputs have these lengths: as many as the first `most` of
// all tokens take. Inputs without any are left out.
std::vector<size_t> ReferenceLengths(absl::Span<const size_t> lengths, size_t most);

// The number of elements of one input's value at a point.
uint64_t PointElements(HookPoint point, const ModelInfo& model, uint64_t tokens);

// Measures everything. Heavy: reads the weight files again and, with options.reference, takes about
// a hundred times a forward pass over max_reference_tokens. Belongs on a worker thread, never on
// the engine's or on an I/O thread. Thread-safe.
//
// `stopped` is asked between pieces of work (every few milliseconds in the reference, between the
// others); once it is true the answer is CANCELLED. INTERNAL when an array is missing or has
// another size than token_ids say, and when the reference leaves a point out; errors of the engine pass through.
absl::StatusOr<VerifyReport> Verify(const Engine& engine, const VerifyInputs& inputs, const VerifyOptions& options,
                                    const std::function<bool()>& stopped);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_VERIFY_H_
