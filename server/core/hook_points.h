// The catalogue of hook points: every place of GPT-2's forward pass that has a name, and the names it goes by.
#ifndef HYDROPHONE_SERVER_CORE_HOOK_POINTS_H_
#define HYDROPHONE_SERVER_CORE_HOOK_POINTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/core/model_info.h"

namespace hydrophone {

// A place of the forward pass, in the order in which one block computes them. Those between kResidPre and kResidPost
// are in every block.
enum class Site : uint8_t {
  kEmbed,
  kPosEmbed,
  kEmbedDropped,  // after the embeddings' dropout
  kHiddenState,   // hidden_states[I]: what enters block I; for I = N, ln_f of the last block's output
  kResidPre,
  kLn1In,   // the branch that ln_1 reads; the block adds to the stream, which an edit here does not reach
  kAttnIn,  // a copy of that branch for each head; the following, one for the head's queries, keys and values each
  kQInput,
  kKInput,
  kVInput,
  kLn1Scale,
  kLn1Normalized,
  kLn1Out,
  kQIn,  // ln_1's output as the queries read it
  kKIn,
  kVIn,
  kQkv,  // queries, keys and values as one value
  kQ,
  kK,
  kV,
  kAttnScores,
  kSoftmax,
  kPattern,  // after the pattern's dropout
  kZ,
  kResult,
  kAttnOut,
  kAttnDropped,  // after the attention half's residual dropout
  kResidMid,
  kLn2In,  // the branch that ln_2 reads
  kLn2Scale,
  kLn2Normalized,
  kLn2Out,
  kMlpPre,
  kMlpPost,
  kMlpOut,
  kMlpDropped,              // after the MLP half's dropout
  kResidPost,               // raw, the last block's too
  kReconstructionResidual,  // H[L+1] - ((H[L] + attention delta) + MLP delta)
  kLnFinalIn,
  kLnFinalScale,
  kLnFinalNormalized,
  kLnFinalOut,
  kLnFinalResidual,  // ln_f(last block's output) - hidden_states[N]
  kLogits,
};

// Which layers a site has.
enum class LayerKind : uint8_t {
  kNone,    // one place, outside the blocks
  kBlocks,  // 0 .. N-1
  kStates,  // 0 .. N
};

// A hook point at one layer; layer is -1 for a site outside the blocks.
struct HookPoint {
  Site site = Site::kEmbed;
  int layer = -1;
  // The same value seen with its heads side by side. The forward pass has one place for both.
  bool flat = false;

  friend bool operator==(const HookPoint&, const HookPoint&) = default;
};

// Where a forward pass computes a point.
enum class Stage : uint8_t {
  kEmbeddings,   // before the blocks
  kBlock,        // in the block of the point's layer
  kAfterBlocks,  // the final LayerNorm and the logits
};

// What a point's value is to the residual stream.
enum class Residual : uint8_t {
  kNone,
  kRaw,           // a state of it that ln_f has not normalised, which a logit lens can read
  kRawButLast,    // so is every layer but the last, which is after ln_f: hidden_states
  kAfterFinalLn,  // after ln_f
};

// A row of the catalogue. Whoever needs to know something of a point asks its row, and names no site.
struct HookPointInfo {
  Site site;
  LayerKind layers;
  const char* name;                  // canonical; 'L' stands for the layer: "blocks.L.hook_attn_out"
  const char* hugging_face;          // "transformer.h.L.attn.c_proj"; "" when it has none
  std::vector<const char*> aliases;  // further full names, with 'L' where the layer stands
  const char* description;
  std::vector<const char*> shape;  // symbols: "s", "d", "H", "d/H", "f", "V", "1"
  // The name of the point to edit instead, with 'L' for the layer, where this one can only be captured; null where an
  // intervention can edit the point itself.
  const char* edit_instead;
  bool flat = false;  // see HookPoint; the site has a row that is not flat, too

  // Whether an intervention can edit the point.
  bool editable() const { return edit_instead == nullptr; }

  // Whether a row's value is split into heads: [s, H, ...]; squares have heads too.
  bool has_heads() const { return shape.size() == 3; }

  // Whether the value is scores or a pattern: [H, s, s] instead of rows.
  bool square() const;

  // Whether the value is attention scores: squares in which a masked or knocked-out key has -inf.
  bool scores() const;

  // Whether the value is the model's logits: [s, V].
  bool logits() const;

  // Whether the forward pass computes the value for one run at a time, and only where it is captured or edited:
  // squares, and the copies of the residual stream that the heads read.
  bool by_run() const;

  Stage stage() const;
  Residual residual() const;

  // Whether the other row is of the same value, flat or not.
  bool SamePlace(const HookPointInfo& other) const { return site == other.site; }

  // Whether a forward pass computes this row's value first, where both are in one block.
  bool ComesBefore(const HookPointInfo& other) const { return site < other.site; }

  // The point at a layer: -1 where the point has no layers.
  HookPoint At(int layer) const { return {site, layer, flat}; }
};

// All points: one for each site, in the order of Site, then the flat ones.
absl::Span<const HookPointInfo> HookPoints();
const HookPointInfo& HookPointOf(Site site);
const HookPointInfo& HookPointOf(HookPoint point);

// A name as a request spells it: the point, and the layer if the name holds one.
struct HookName {
  enum class Layer : uint8_t {
    kAbsent,  // "attn.c_proj", "hook_attn_out": the selector's `layers` decide
    kGiven,   // "blocks.10.hook_attn_out", "blocks.{0,11}.hook_attn_out"
    kAll,     // "blocks.*.hook_attn_out"
  };
  const HookPointInfo* info = nullptr;  // a row of the catalogue
  Layer layer_kind = Layer::kAbsent;
  // kGiven only, at least one; may be negative ("blocks.-1.hook_resid_post"); not checked against the model.
  std::vector<int> layers;
};

// Reads any of a point's spellings (see hook_spellings.h), with a layer's number, several ("{0,11}"), "*", or none.
// NOT_FOUND otherwise, naming the nearest names, or the points among which a short name does not decide.
absl::StatusOr<HookName> ParseHookName(absl::string_view name);

// Reads a name, or a pattern of them: "*" stands for any characters, and "{a,b}" for either of these. A pattern gives
// every point that has a matching name in its row of the catalogue, in the order of HookPoints(), with the layers that
// match, counted from the start: "blocks.3.*", "*.hook_resid_post". A flat point is left out where the pattern matches
// the same value already. Never empty; NOT_FOUND for a pattern that matches nothing.
absl::StatusOr<std::vector<HookName>> ParseHookNames(absl::string_view name, const ModelInfo& model);

// The canonical or Hugging Face name with the layer in it.
std::string CanonicalName(HookPoint point);
std::string HuggingFaceName(HookPoint point);

// The model's logits, and the last hidden state, which is ln_f's output.
HookPoint LogitsPoint();
HookPoint FinalStatePoint(const ModelInfo& model);

// Whether a logit lens can read the point: a residual stream that ln_f has not normalised yet.
bool IsRawResidual(HookPoint point, const ModelInfo& model);

// Sorts points as a forward pass computes them: embeddings, the blocks' points layer by layer, then those after the
// blocks. hidden_states[I] comes right after blocks.I.hook_resid_pre, whose value (edits included) it is;
// hidden_states[N] right after ln_f. `n_layer` is the number of blocks.
int64_t ForwardOrder(HookPoint point, int n_layer);

// The size in this model of a dimension with this symbol (see HookPointInfo::shape); 0 for "s", the number of tokens,
// which is the input's.
int64_t DimensionSize(absl::string_view symbol, const ModelInfo& model);

// The grid that a run's value at the point is, beside its positions: its heads (1 for a point without) and the features
// of each (for a square the number of keys, which is the run's: 0 here).
int64_t HeadCount(const HookPointInfo& info, const ModelInfo& model);
int64_t FeatureCount(const HookPointInfo& info, const ModelInfo& model);

// How many layers a point has in this model: 0 for kNone, N for kBlocks, N+1 for kStates.
int LayerCount(const HookPointInfo& info, const ModelInfo& model);

// The size of one row, the product of the dimensions after the first. REQUIRES: the first dimension is "s".
int64_t RowWidth(const HookPointInfo& info, const ModelInfo& model);

// The dimensions after the first, with this model's numbers.
std::vector<int64_t> RowShape(const HookPointInfo& info, const ModelInfo& model);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_HOOK_POINTS_H_
