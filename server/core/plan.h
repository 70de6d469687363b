// A request made ready for the model: validated, names resolved, tokens known, every size known. Immutable once made.
#ifndef HYDROPHONE_SERVER_CORE_PLAN_H_
#define HYDROPHONE_SERVER_CORE_PLAN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/core/hook_points.h"

namespace hydrophone {

// A run's value at a point is a grid of positions x heads x features. A point without heads counts as one head; on
// scores and patterns the positions are queries and the features are keys. Units say which of the heads and features
// are meant; an empty list means all, in order.
struct Units {
  std::vector<int32_t> heads;     // each below HeadCount
  std::vector<int32_t> features;  // each below FeatureCount (keys: below the shortest of the runs)

  bool all() const { return heads.empty() && features.empty(); }
};

// One forward pass over one input's tokens.
struct PlannedRun {
  uint32_t input = 0;  // index among the request's inputs
  std::vector<uint32_t> token_ids;

  // Train mode: dropout with this seed. What dropout draws depends on the seed and the tokens alone.
  std::optional<uint64_t> train_seed = std::nullopt;
};

// A change of one run's value at one point, made where the forward pass computes it. A capture at the point shows the
// value after all of the run's edits there.
struct Edit {
  enum class Operation : uint8_t {
    kZero,
    kScale,         // times `scale`
    kAdd,           // plus `values`
    kSet,           // `values` instead
    kProjectOut,    // v - (v . u) / (u . u) u along the features, u = `values`; float64, rounded once
    kPatch,         // the values of `source` instead
    kPositionMean,  // the mean over `positions` instead: float64, rounded once
  };

  uint32_t run = 0;
  HookPoint point;
  std::vector<int64_t> positions;  // in the run, each once
  Units units;
  Operation operation = Operation::kZero;
  float scale = 1;

  // kAdd, kSet, kProjectOut: the elements, and the steps in them from one of the edit's positions, heads and features
  // to the next (0: the same element again). Edits that one intervention became share the elements.
  std::shared_ptr<const std::vector<float>> values;
  std::array<int64_t, 3> strides = {0, 0, 0};

  // kPatch: where the values are read, after the source run's own edits there. It has as many positions as the edit,
  // and the edit's units are read there too. ForwardOrder(source.point) <= ForwardOrder(point).
  struct Source {
    uint32_t run = 0;
    HookPoint point;
    std::vector<int64_t> positions;
  };
  Source source;
};

// Makes one row of each run's selected rows.
enum class Reduction : uint8_t {
  kNone,
  kMean,  // float64, rounded once
  kMax,   // NaN if there is one
};

// Vectors to take dot products with, row-major [count, width]. Applied to the features that the units select.
struct Projection {
  int64_t count = 0;
  int64_t width = 0;
  std::vector<float> rows;
};

// What is read off the logits of a row instead of the row itself. At kLogits, the model's own; at a raw residual point,
// the logit lens: ln_f of the row, unembedded.
struct Readout {
  enum class Kind : uint8_t {
    kTokens,         // scores of kScoreFields floats each: tokens, then numbers of the row (see TokenScores)
    kLogits,         // vocab_size floats: the logits themselves, a tensor
    kLogitDiff,      // 1 float: logit of `correct` minus logit of `wrong`
    kNextTokenLoss,  // 1 float: -log p(the run's next token), nats; the row must have a next token
    kDivergence,     // 1 float: KL(baseline row || row), nats
  };
  static constexpr int64_t kScoreFields = 4;  // id, logit, log probability, rank from 0; whole numbers exactly

  Kind kind = Kind::kTokens;
  uint32_t top_k = 0;
  std::vector<uint32_t> token_ids;
  uint32_t correct = 0;
  uint32_t wrong = 0;

  // kTokens: after the top_k tokens, largest logit first, and token_ids come a score with the entropy of the row's
  // distribution and one with KL(final || row), both in nats, each in the logit's place and with zeros beside it. The
  // final distribution is that of the model's own logits at the row.
  bool entropy = false;
  bool final_divergence = false;

  int64_t TokenScores() const { return static_cast<int64_t>(top_k) + static_cast<int64_t>(token_ids.size()); }
  int64_t Scores() const { return TokenScores() + (entropy ? 1 : 0) + (final_divergence ? 1 : 0); }
  // Whether it gives numbers about the logits, not the logits.
  bool scores() const { return kind != Kind::kLogits; }
};

// One hook point at one layer, and what the request asks to have of it.
//
// The model computes all runs of a plan as one matrix [tokens, ...], run after run; rows are counted in it. A
// capture takes rows of `runs`, run after run: rows_per_run[i] rows belong to runs[i].
//
// clang-format off
//   value ─► rows ─► units ─► reduction ─► projection or readout ─► handed over: one tensor a run, one after another
// clang-format on
//
// For most points the tensor of runs[i] is [rows, row_shape...]. For scores and patterns it is [heads, rows, keys].
struct Capture {
  HookPoint point;
  uint32_t selector = 0;  // which of the request's selectors asked for it
  std::vector<uint32_t> runs;
  std::vector<uint32_t> rows_per_run;  // as long as `runs`; before the reduction

  // The rows to take, in sending order. Empty when `contiguous`: then they are [first_row, first_row + row_count).
  bool contiguous = true;
  int64_t first_row = 0;
  std::vector<int64_t> rows;
  int64_t row_count = 0;

  Units units;
  Reduction reduction = Reduction::kNone;
  std::shared_ptr<const Projection> projection;  // null: none
  std::shared_ptr<const Readout> readout;        // null: none
  std::vector<int64_t> baseline_rows;            // kDivergence: as many as rows

  // What a row becomes: its dimensions after units, projection and readout. For scores and patterns: {heads}.
  std::vector<int64_t> row_shape;
  std::vector<int64_t> keys_per_run;  // scores and patterns: keys of each run, after units or projection; else empty

  // Number of the row'th row, in the plan's matrix.
  int64_t Row(int64_t row) const { return contiguous ? first_row + row : rows[static_cast<size_t>(row)]; }
  // Elements of a row as it is handed over. Not for scores and patterns, which have no rows.
  int64_t RowElements() const;
  // The dimensions of the tensor of runs[i], and the number of its elements.
  std::vector<int64_t> TensorShape(size_t i) const;
  int64_t TensorElements(size_t i) const;
  // The number of elements of all runs' tensors together.
  int64_t Elements() const;

  // The point at which the capture is complete: its own, or the logits where it compares with them.
  HookPoint CompleteAt() const;
};

// Runs of a plan that are computed together, and apart from its other runs, with the captures of theirs. Slices are
// pieces of the plan's runs and captures, one after another.
struct PlanSlice {
  uint32_t first_run = 0;
  uint32_t end_run = 0;
  size_t first_capture = 0;
  size_t end_capture = 0;
  int64_t rows = 0;            // that a forward pass computes: a beginning that runs have in common counts once
  uint64_t capture_bytes = 0;  // as Plan's
};

struct Plan {
  std::vector<PlannedRun> runs;
  std::vector<int64_t> first_token;  // each run's first row in the plan's matrix; then the number of tokens
  std::vector<Capture> captures;     // slice after slice, each in the ForwardOrder of CompleteAt

  // By ForwardOrder of their points; at one point a patch's source run comes before the runs that read it, and a run's
  // edits are in the order in which the request states them.
  std::vector<Edit> edits;

  // The order in which the runs are computed: all runs, a patch's source before the runs that read it. Empty: as they
  // are numbered.
  std::vector<uint32_t> run_order;

  // Bytes of float32 that all captures together hold while they are sent: what admission reserves.
  uint64_t capture_bytes = 0;

  // In the order in which they are computed. Slices without captures are left out. Empty: the plan is one slice.
  std::vector<PlanSlice> slices;

  int64_t tokens() const { return first_token.empty() ? 0 : first_token.back(); }
};

// A slice as a plan of its own, whose captures are plan.captures[first_capture ... end_capture).
Plan PlanOf(const PlanSlice& slice, const Plan& plan);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_PLAN_H_
