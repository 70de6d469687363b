#include "server/core/plan.h"

namespace hydrophone {
namespace {

// Places in the order of computation: stage 0 is the embeddings, stage L+1 block L, stage N+1 what follows the blocks.
// Each stage has room for every site.
constexpr int64_t kStageSize = 64;

// hidden_states[I] comes right after the point whose value it is: the last block's output, or ln_f's.
constexpr int64_t kRightAfter = 1;

// Twice the site's number leaves a place between neighbours.
constexpr int64_t PlaceInStage(Site site) { return 2 * static_cast<int64_t>(site); }
static_assert(PlaceInStage(Site::kLogits) < kStageSize);

int64_t StageOf(HookPoint point, int n_layer) {
  if (point.site == Site::kHiddenState) return point.layer == n_layer ? n_layer + 1 : point.layer;
  if (HookPointOf(point.site).layers == LayerKind::kBlocks) return point.layer + 1;
  return point.site < Site::kResidPre ? 0 : n_layer + 1;
}

int64_t PlaceOf(HookPoint point, int n_layer) {
  if (point.site != Site::kHiddenState) return PlaceInStage(point.site);
  if (point.layer == 0) return PlaceInStage(Site::kHiddenState);
  if (point.layer == n_layer) return PlaceInStage(Site::kLnFinalOut) + kRightAfter;
  return PlaceInStage(Site::kResidPost) + kRightAfter;
}

}  // namespace

int64_t ForwardOrder(HookPoint point, int n_layer) {
  return StageOf(point, n_layer) * kStageSize + PlaceOf(point, n_layer);
}

int BlocksNeeded(HookPoint point, int n_layer) {
  if (point.site == Site::kHiddenState || point.site == Site::kResidPre) return point.layer;
  if (HookPointOf(point.site).layers == LayerKind::kBlocks) return point.layer + 1;
  return point.site < Site::kResidPre ? 0 : n_layer;
}

}  // namespace hydrophone
