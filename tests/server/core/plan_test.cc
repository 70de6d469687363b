#include "server/core/plan.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace hydrophone {
namespace {

constexpr int kLayers = 3;

std::vector<HookPoint> EveryPoint() {
  ModelInfo model;
  model.n_layer = kLayers;
  std::vector<HookPoint> points;
  for (const HookPointInfo& info : HookPoints()) {
    if (info.flat) continue;  // computed where its site is
    if (info.layers == LayerKind::kNone) points.push_back({info.site, -1});
    for (int layer = 0; layer < LayerCount(info, model); ++layer) points.push_back({info.site, layer});
  }
  return points;
}

int64_t Order(Site site, int layer = -1) { return ForwardOrder({site, layer}, kLayers); }

TEST(ForwardOrderTest, NoTwoPointsComeAtTheSameTime) {
  std::set<int64_t> seen;
  for (const HookPoint& point : EveryPoint()) {
    EXPECT_TRUE(seen.insert(ForwardOrder(point, kLayers)).second) << CanonicalName(point);
  }
}

TEST(ForwardOrderTest, FollowsTheForwardPass) {
  const std::vector<int64_t> passed = {
      Order(Site::kEmbed),           Order(Site::kPosEmbed),
      Order(Site::kResidPre, 0),     Order(Site::kHiddenState, 0),
      Order(Site::kLn1Scale, 0),     Order(Site::kAttnOut, 0),
      Order(Site::kResidMid, 0),     Order(Site::kMlpOut, 0),
      Order(Site::kResidPost, 0),    Order(Site::kReconstructionResidual, 0),
      Order(Site::kResidPre, 1),     Order(Site::kHiddenState, 1),
      Order(Site::kResidPre, 2),     Order(Site::kHiddenState, 2),
      Order(Site::kResidPost, 2),    Order(Site::kLnFinalScale),
      Order(Site::kLnFinalOut),      Order(Site::kHiddenState, 3),
      Order(Site::kLnFinalResidual), Order(Site::kLogits),
  };
  for (size_t i = 1; i < passed.size(); ++i) EXPECT_LT(passed[i - 1], passed[i]) << i;
}

Capture TwoRuns() {
  Capture capture;
  capture.runs = {0, 1};
  capture.rows_per_run = {3, 2};
  capture.row_count = 5;
  capture.row_shape = {4, 6};
  return capture;
}

TEST(CaptureTest, ATensorIsARunsRows) {
  const Capture capture = TwoRuns();
  EXPECT_EQ(capture.TensorShape(1), (std::vector<int64_t>{2, 4, 6}));
  EXPECT_EQ(capture.RowElements(), 24);
  EXPECT_EQ(capture.Elements(), 120);
}

TEST(CaptureTest, AReductionLeavesOneRowARun) {
  Capture capture = TwoRuns();
  capture.reduction = Reduction::kMean;
  EXPECT_EQ(capture.TensorShape(0), (std::vector<int64_t>{1, 4, 6}));
  EXPECT_EQ(capture.Elements(), 48);
}

TEST(CaptureTest, ASquaresTensorIsHeadsQueriesKeys) {
  Capture capture = TwoRuns();
  capture.row_shape = {4};
  capture.keys_per_run = {9, 7};
  EXPECT_EQ(capture.TensorShape(0), (std::vector<int64_t>{4, 3, 9}));
  EXPECT_EQ(capture.Elements(), 4 * 3 * 9 + 4 * 2 * 7);
}

TEST(CaptureTest, RowsAreARangeOrAList) {
  Capture capture = TwoRuns();
  capture.first_row = 7;
  EXPECT_EQ(capture.Row(2), 9);
  capture.contiguous = false;
  capture.rows = {4, 1, 0, 8, 8};
  EXPECT_EQ(capture.Row(3), 8);
}

}  // namespace
}  // namespace hydrophone
