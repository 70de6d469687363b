// The order in which a forward pass computes the hook points.
#include <cstdint>

#include "server/core/hook_points.h"

namespace hydrophone {
namespace {

// Stage 0 is the embeddings, stage L + 1 is block L, stage N + 1 follows the blocks. Each stage has room for every
// site.
constexpr int64_t kStageSize = 128;

// hidden_states[I] comes right after the point whose value it is.
constexpr int64_t kRightAfter = 1;

// Twice the site's number, so that there is a place between neighbours.
constexpr int64_t PlaceInStage(Site site) { return 2 * static_cast<int64_t>(site); }
static_assert(PlaceInStage(Site::kLogits) < kStageSize);

int64_t StageOf(HookPoint point, int n_layer) {
  switch (HookPointOf(point).stage()) {
    case Stage::kEmbeddings:
      return 0;
    case Stage::kBlock:
      return point.layer + 1;
    case Stage::kAfterBlocks:
      return n_layer + 1;
  }
  return 0;
}

int64_t PlaceOf(HookPoint point, int n_layer) {
  if (point.site != Site::kHiddenState) return PlaceInStage(point.site);
  return PlaceInStage(point.layer == n_layer ? Site::kLnFinalOut : Site::kResidPre) + kRightAfter;
}

}  // namespace

int64_t ForwardOrder(HookPoint point, int n_layer) {
  return StageOf(point, n_layer) * kStageSize + PlaceOf(point, n_layer);
}

}  // namespace hydrophone
