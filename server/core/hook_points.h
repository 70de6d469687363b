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
  kHiddenState,  // hidden_states[I]: what enters block I; for I = N, ln_f of the last block's output
  kResidPre,
  kLn1Scale,
  kLn1Normalized,
  kLn1Out,
  kQ,
  kK,
  kV,
  kAttnScores,
  kPattern,
  kZ,
  kResult,
  kAttnOut,
  kAttnDropped,  // after the attention half's residual dropout
  kResidMid,
  kLn2Scale,
  kLn2Normalized,
  kLn2Out,
  kMlpPre,
  kMlpPost,
  kMlpOut,
  kMlpDropped,              // after the MLP half's dropout
  kResidPost,               // raw, the last block's too
  kReconstructionResidual,  // H[L+1] - ((H[L] + attention delta) + MLP delta)
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

struct HookPointInfo {
  Site site;
  LayerKind layers;
  const char* name;                  // canonical; 'L' stands for the layer: "blocks.L.hook_attn_out"
  const char* hugging_face;          // "transformer.h.L.attn.c_proj"; "" when it has none
  std::vector<const char*> aliases;  // further full names, with 'L' where the layer stands
  const char* description;
  std::vector<const char*> shape;  // symbols: "s", "d", "H", "d/H", "f", "V", "1"
  bool editable;                   // whether an intervention can edit it
};

// All points, in the order of Site.
absl::Span<const HookPointInfo> HookPoints();
const HookPointInfo& HookPointOf(Site site);

// A hook point at one layer; layer is -1 for a site outside the blocks.
struct HookPoint {
  Site site = Site::kEmbed;
  int layer = -1;

  friend bool operator==(const HookPoint&, const HookPoint&) = default;
};

// A name as a request spells it: the site, and the layer if the name holds one.
struct HookName {
  enum class Layer : uint8_t {
    kAbsent,  // "attn.c_proj", "hook_attn_out": the selector's `layers` decide
    kGiven,   // "blocks.10.hook_attn_out"
    kAll,     // "blocks.*.hook_attn_out"
  };
  Site site = Site::kEmbed;
  Layer layer_kind = Layer::kAbsent;
  int layer = -1;  // kGiven only; may be negative ("blocks.-1.hook_resid_post"); not checked against the model
};

// Reads any of a point's spellings: canonical, Hugging Face, or an alias; with a layer's number, "*", or without the
// part up to the layer ("attn.c_proj", "hook_attn_out"). NOT_FOUND, naming the nearest names, otherwise.
absl::StatusOr<HookName> ParseHookName(absl::string_view name);

// The canonical or Hugging Face name with the layer in it.
std::string CanonicalName(HookPoint point);
std::string HuggingFaceName(HookPoint point);

// Whether a logit lens can read the point: a residual stream that ln_f has not normalised yet.
bool IsRawResidual(HookPoint point, const ModelInfo& model);

// Scores and patterns: [H, s, s] instead of rows.
bool IsSquare(Site site);

// The grid that a run's value at the site is, beside its positions: its heads (1 for a site without) and the features
// of each (for a square site the number of keys, which is the run's: 0 here).
int64_t HeadCount(Site site, const ModelInfo& model);
int64_t FeatureCount(Site site, const ModelInfo& model);

// How many layers a site has in this model: 0 for kNone, N for kBlocks, N+1 for kStates.
int LayerCount(Site site, const ModelInfo& model);

// The size of one row, the product of the dimensions after the first; only for sites whose first dimension is "s".
int64_t RowWidth(Site site, const ModelInfo& model);

// The dimensions after the first, with this model's numbers.
std::vector<int64_t> RowShape(Site site, const ModelInfo& model);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_HOOK_POINTS_H_
