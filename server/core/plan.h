// A request made ready for the model: validated, names resolved, tokens known, every size known. Immutable once made.
#ifndef HYDROPHONE_SERVER_CORE_PLAN_H_
#define HYDROPHONE_SERVER_CORE_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "server/core/hook_points.h"

namespace hydrophone {

// One forward pass over one input's tokens.
struct PlannedRun {
  uint32_t input = 0;  // index among the request's inputs
  std::vector<uint32_t> token_ids;
};

// One hook point at one layer, and the rows of it that the request asks for.
//
// The model computes all runs of a plan as one matrix [tokens, ...], run after run; rows are counted in it. A capture's
// rows are those of `runs` in order: rows_per_run[i] of them belong to runs[i].
struct Capture {
  HookPoint point;
  uint32_t selector = 0;  // which of the request's selectors asked for it
  std::vector<uint32_t> runs;
  std::vector<uint32_t> rows_per_run;  // as long as `runs`

  // The rows to take, in sending order. Empty when `contiguous`: then they are [first_row, first_row + row_count).
  bool contiguous = true;
  int64_t first_row = 0;
  std::vector<int64_t> rows;
  int64_t row_count = 0;
  int64_t row_width = 0;  // elements of a row
};

struct Plan {
  std::vector<PlannedRun> runs;
  std::vector<int64_t> first_token;  // of each run in the plan's matrix; one more at the end: the number of tokens
  std::vector<Capture> captures;     // in the order of ForwardOrder

  // Bytes of float32 that all captures together hold while they are sent: what admission reserves.
  uint64_t capture_bytes = 0;

  int64_t tokens() const { return first_token.empty() ? 0 : first_token.back(); }
};

// Sorts points as a forward pass computes them: embeddings, the blocks' points layer by layer, then those after the blocks.
// hidden_states[I] counts as computed at the end of block I-1 (I = 0: with the embeddings; I = N: with ln_f).
// `n_layer` is the number of blocks.
int64_t ForwardOrder(HookPoint point, int n_layer);

// How many blocks must be computed, from the first, before the point is known: 0 for embeddings and hidden_states[0], L+1 for a
// point in block L (L for what enters it), N for what comes after the blocks.
int BlocksNeeded(HookPoint point, int n_layer);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_PLAN_H_
