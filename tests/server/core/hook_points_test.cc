#include "server/core/hook_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/types/span.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

ModelInfo SmallModel() {
  ModelInfo model;
  model.n_layer = 3;
  model.n_embd = 12;
  model.n_head = 4;
  model.n_inner = 50;
  model.vocab_size = 100;
  return model;
}

TEST(HookPointsTest, TheCatalogueIsInTheOrderOfSite) {
  const size_t sites = static_cast<size_t>(Site::kLogits) + 1;
  const absl::Span<const HookPointInfo> points = HookPoints();
  ASSERT_GE(points.size(), sites);
  for (size_t i = 0; i < points.size(); ++i) {
    const HookPointInfo& info = points[i];
    EXPECT_EQ(info.flat, i >= sites) << info.name;
    if (!info.flat) {
      EXPECT_EQ(static_cast<size_t>(info.site), i) << info.name;
    }
    EXPECT_EQ(&HookPointOf(info.At(0)), &info);
  }
}

TEST(HookPointsTest, AFlatPointIsAsWideAsTheOneWithHeads) {
  for (const HookPointInfo& info : HookPoints()) {
    if (!info.flat) continue;
    EXPECT_EQ(HeadCount(info, SmallModel()), 1) << info.name;
    EXPECT_EQ(RowWidth(info, SmallModel()), RowWidth(HookPointOf(info.site), SmallModel())) << info.name;
    EXPECT_EQ(ForwardOrder(info.At(1), 3), ForwardOrder({info.site, 1}, 3)) << info.name;
  }
}

TEST(HookPointsTest, NoTwoPointsShareAName) {
  std::set<std::string> seen;
  for (const HookPointInfo& info : HookPoints()) {
    EXPECT_TRUE(seen.insert(info.name).second) << info.name;
    for (const char* alias : info.aliases) {
      EXPECT_TRUE(seen.insert(alias).second) << alias;
    }
    if (info.hugging_face[0] == '\0' || std::string(info.hugging_face) == info.name) continue;
    EXPECT_TRUE(seen.insert(info.hugging_face).second) << info.hugging_face;
  }
}

TEST(HookPointsTest, NamesHoldALayerExactlyWhenThePointHasLayers) {
  for (const HookPointInfo& info : HookPoints()) {
    const bool holds = std::string(info.name).find('L') != std::string::npos;
    EXPECT_EQ(holds, info.layers != LayerKind::kNone) << info.name;
  }
}

// A point is editable only when the forward pass goes on with its value as it is.
TEST(HookPointsTest, WhatIsDerivedFromOtherPointsIsNotEditable) {
  const std::set<Site> derived = {Site::kHiddenState,
                                  Site::kLn1Scale,
                                  Site::kLn1Normalized,
                                  Site::kResult,
                                  Site::kLn2Scale,
                                  Site::kLn2Normalized,
                                  Site::kLnFinalScale,
                                  Site::kLnFinalNormalized,
                                  Site::kReconstructionResidual,
                                  Site::kLnFinalResidual,
                                  Site::kLogits};
  for (const HookPointInfo& info : HookPoints()) EXPECT_EQ(info.editable(), derived.count(info.site) == 0) << info.name;
}

TEST(HookPointsTest, AValueIsAGridOfPositionsHeadsAndFeatures) {
  ModelInfo model;
  model.n_layer = 2;
  model.n_embd = 12;
  model.n_head = 4;
  EXPECT_EQ(HeadCount(HookPointOf(Site::kZ), model), 4);
  EXPECT_EQ(FeatureCount(HookPointOf(Site::kZ), model), 3);
  EXPECT_EQ(HeadCount(HookPointOf(Site::kMlpOut), model), 1);
  EXPECT_EQ(FeatureCount(HookPointOf(Site::kMlpOut), model), 12);
  EXPECT_EQ(HeadCount(HookPointOf(Site::kPattern), model), 4);
  EXPECT_TRUE(HookPointOf(Site::kPattern).square());
  EXPECT_FALSE(HookPointOf(Site::kResult).square());
}

TEST(HookPointsTest, TheNormalisedHiddenStateIsNoRawResidual) {
  ModelInfo model;
  model.n_layer = 2;
  EXPECT_TRUE(IsRawResidual({Site::kHiddenState, 1}, model));
  EXPECT_FALSE(IsRawResidual({Site::kHiddenState, 2}, model));
  EXPECT_TRUE(IsRawResidual({Site::kResidPost, 1}, model));
  EXPECT_FALSE(IsRawResidual({Site::kMlpOut, 1}, model));
  EXPECT_FALSE(IsRawResidual({Site::kLnFinalOut, -1}, model));
}

TEST(HookPointsTest, NamesTakeTheLayer) {
  EXPECT_EQ(CanonicalName({Site::kAttnOut, 10}), "blocks.10.hook_attn_out");
  EXPECT_EQ(CanonicalName({Site::kHiddenState, 0}), "hidden_states.0");
  EXPECT_EQ(CanonicalName({Site::kLnFinalOut, -1}), "ln_final.hook_out");
  EXPECT_EQ(HuggingFaceName({Site::kAttnOut, 10}), "transformer.h.10.attn.c_proj");
  EXPECT_EQ(HuggingFaceName({Site::kResidPre, 2}), "transformer.h.2.input");
  EXPECT_EQ(HuggingFaceName({Site::kHiddenState, 12}), "hidden_states[12]");
  EXPECT_EQ(HuggingFaceName({Site::kLn1Scale, 1}), "");
}

TEST(HookPointsTest, SizesAreTheModels) {
  const ModelInfo model = SmallModel();
  EXPECT_EQ(LayerCount(HookPointOf(Site::kEmbed), model), 0);
  EXPECT_EQ(LayerCount(HookPointOf(Site::kMlpOut), model), 3);
  EXPECT_EQ(LayerCount(HookPointOf(Site::kHiddenState), model), 4);

  EXPECT_THAT(RowShape(HookPointOf(Site::kAttnOut), model), ElementsAre(12));
  EXPECT_THAT(RowShape(HookPointOf(Site::kQ), model), ElementsAre(4, 3));
  EXPECT_THAT(RowShape(HookPointOf(Site::kResult), model), ElementsAre(4, 12));
  EXPECT_THAT(RowShape(HookPointOf(Site::kLn1Scale), model), ElementsAre(1));
  EXPECT_THAT(RowShape(HookPointOf(Site::kPattern), model), ElementsAre(0, 0));
  EXPECT_EQ(RowWidth(HookPointOf(Site::kResidPost), model), 12);
  EXPECT_EQ(RowWidth(HookPointOf(Site::kResult), model), 48);
  EXPECT_EQ(RowWidth(HookPointOf(Site::kMlpPost), model), 50);
  EXPECT_EQ(RowWidth(HookPointOf(Site::kLogits), model), 100);
}

}  // namespace
}  // namespace hydrophone
