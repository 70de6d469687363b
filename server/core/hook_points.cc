#include "server/core/hook_points.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace hydrophone {
namespace {

// No name has another capital L.
std::string PutLayer(absl::string_view name, int layer) {
  return absl::StrReplaceAll(name, {{"L", absl::StrCat(layer)}});
}

}  // namespace

std::string CanonicalName(HookPoint point) { return PutLayer(HookPointOf(point).name, point.layer); }

std::string HuggingFaceName(HookPoint point) { return PutLayer(HookPointOf(point).hugging_face, point.layer); }

HookPoint LogitsPoint() { return {Site::kLogits, -1}; }

HookPoint FinalStatePoint(const ModelInfo& model) { return {Site::kHiddenState, model.n_layer}; }

bool HookPointInfo::square() const { return shape.front()[0] == 'H'; }

bool HookPointInfo::scores() const { return site == Site::kAttnScores; }

bool HookPointInfo::logits() const { return site == Site::kLogits; }

bool HookPointInfo::by_run() const { return square() || (site >= Site::kAttnIn && site <= Site::kVInput); }

Stage HookPointInfo::stage() const {
  if (layers != LayerKind::kNone) return Stage::kBlock;
  return site < Site::kResidPre ? Stage::kEmbeddings : Stage::kAfterBlocks;
}

Residual HookPointInfo::residual() const {
  switch (site) {
    case Site::kEmbedDropped:
    case Site::kResidPre:
    case Site::kLn1In:
    case Site::kResidMid:
    case Site::kLn2In:
    case Site::kResidPost:
    case Site::kLnFinalIn:
      return Residual::kRaw;
    case Site::kHiddenState:
      return Residual::kRawButLast;
    case Site::kLnFinalOut:
      return Residual::kAfterFinalLn;
    default:
      return Residual::kNone;
  }
}

bool IsRawResidual(HookPoint point, const ModelInfo& model) {
  const Residual residual = HookPointOf(point).residual();
  return residual == Residual::kRaw || (residual == Residual::kRawButLast && point.layer < model.n_layer);
}

int LayerCount(const HookPointInfo& info, const ModelInfo& model) {
  switch (info.layers) {
    case LayerKind::kNone:
      return 0;
    case LayerKind::kBlocks:
      return model.n_layer;
    case LayerKind::kStates:
      return model.n_layer + 1;
  }
  return 0;
}

int64_t DimensionSize(absl::string_view symbol, const ModelInfo& model) {
  if (symbol == "1") return 1;
  if (symbol == "d") return model.n_embd;
  if (symbol == "3d") return 3 * int64_t{model.n_embd};
  if (symbol == "H") return model.n_head;
  if (symbol == "d/H") return model.n_head == 0 ? 0 : model.n_embd / model.n_head;
  if (symbol == "f") return model.n_inner;
  if (symbol == "V") return model.vocab_size;
  return 0;
}

std::vector<int64_t> RowShape(const HookPointInfo& info, const ModelInfo& model) {
  std::vector<int64_t> shape;
  for (size_t i = 1; i < info.shape.size(); ++i) shape.push_back(DimensionSize(info.shape[i], model));
  return shape;
}

// Heads are the first of a row's two dimensions, and a square's first dimension.
int64_t HeadCount(const HookPointInfo& info, const ModelInfo& model) { return info.has_heads() ? model.n_head : 1; }

int64_t FeatureCount(const HookPointInfo& info, const ModelInfo& model) { return RowShape(info, model).back(); }

int64_t RowWidth(const HookPointInfo& info, const ModelInfo& model) {
  int64_t width = 1;
  for (int64_t dimension : RowShape(info, model)) width *= dimension;
  return width;
}

}  // namespace hydrophone
