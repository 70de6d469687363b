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

// A dimension's size in this model; 0 for the number of tokens, which is the input's.
int64_t SizeOf(absl::string_view symbol, const ModelInfo& model) {
  if (symbol == "1") return 1;
  if (symbol == "d") return model.n_embd;
  if (symbol == "H") return model.n_head;
  if (symbol == "d/H") return model.n_head == 0 ? 0 : model.n_embd / model.n_head;
  if (symbol == "f") return model.n_inner;
  if (symbol == "V") return model.vocab_size;
  return 0;
}

}  // namespace

std::string CanonicalName(HookPoint point) { return PutLayer(HookPointOf(point.site).name, point.layer); }

std::string HuggingFaceName(HookPoint point) { return PutLayer(HookPointOf(point.site).hugging_face, point.layer); }

int LayerCount(Site site, const ModelInfo& model) {
  switch (HookPointOf(site).layers) {
    case LayerKind::kNone:
      return 0;
    case LayerKind::kBlocks:
      return model.n_layer;
    case LayerKind::kStates:
      return model.n_layer + 1;
  }
  return 0;
}

std::vector<int64_t> RowShape(Site site, const ModelInfo& model) {
  const std::vector<const char*>& symbols = HookPointOf(site).shape;
  std::vector<int64_t> shape;
  for (size_t i = 1; i < symbols.size(); ++i) shape.push_back(SizeOf(symbols[i], model));
  return shape;
}

bool IsSquare(Site site) { return site == Site::kAttnScores || site == Site::kPattern; }

bool IsRawResidual(HookPoint point, const ModelInfo& model) {
  switch (point.site) {
    case Site::kResidPre:
    case Site::kResidMid:
    case Site::kResidPost:
      return true;
    case Site::kHiddenState:
      return point.layer < model.n_layer;
    default:
      return false;
  }
}

// Heads are the first of a row's two dimensions, and a square's first dimension.
int64_t HeadCount(Site site, const ModelInfo& model) { return HookPointOf(site).shape.size() == 3 ? model.n_head : 1; }

int64_t FeatureCount(Site site, const ModelInfo& model) { return RowShape(site, model).back(); }

int64_t RowWidth(Site site, const ModelInfo& model) {
  int64_t width = 1;
  for (int64_t dimension : RowShape(site, model)) width *= dimension;
  return width;
}

}  // namespace hydrophone
