#include "server/core/plan.h"

#include <functional>
#include <numeric>

namespace hydrophone {
namespace {

// Places in the order of computation: stage 0 is the embeddings, stage L+1 block L, stage N+1 what follows the blocks.
// Each stage has room for every site.
constexpr int64_t kStageSize = 64;

// hidden_states[I] comes right after the point whose value it is.
constexpr int64_t kRightAfter = 1;

// Twice the site's number leaves a place between neighbours.
constexpr int64_t PlaceInStage(Site site) { return 2 * static_cast<int64_t>(site); }
static_assert(PlaceInStage(Site::kLogits) < kStageSize);

int64_t StageOf(HookPoint point, int n_layer) {
  if (point.site == Site::kHiddenState) return point.layer + 1;
  if (HookPointOf(point.site).layers == LayerKind::kBlocks) return point.layer + 1;
  return point.site < Site::kResidPre ? 0 : n_layer + 1;
}

int64_t PlaceOf(HookPoint point, int n_layer) {
  if (point.site != Site::kHiddenState) return PlaceInStage(point.site);
  return PlaceInStage(point.layer == n_layer ? Site::kLnFinalOut : Site::kResidPre) + kRightAfter;
}

}  // namespace

int64_t Capture::RowElements() const {
  return std::accumulate(row_shape.begin(), row_shape.end(), int64_t{1}, std::multiplies<>());
}

std::vector<int64_t> Capture::TensorShape(size_t i) const {
  const int64_t positions = reduction == Reduction::kNone ? rows_per_run[i] : 1;
  if (!keys_per_run.empty()) return {row_shape[0], positions, keys_per_run[i]};
  std::vector<int64_t> shape = {positions};
  shape.insert(shape.end(), row_shape.begin(), row_shape.end());
  return shape;
}

int64_t Capture::TensorElements(size_t i) const {
  const std::vector<int64_t> shape = TensorShape(i);
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

int64_t Capture::Elements() const {
  int64_t elements = 0;
  for (size_t i = 0; i < runs.size(); ++i) elements += TensorElements(i);
  return elements;
}

int64_t ForwardOrder(HookPoint point, int n_layer) {
  return StageOf(point, n_layer) * kStageSize + PlaceOf(point, n_layer);
}

}  // namespace hydrophone
