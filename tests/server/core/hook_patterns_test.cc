#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/core/hook_points.h"

namespace hydrophone {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int kLayers = 3;

// "blocks.L.hook_z at 0,1": the points that a pattern matches.
std::vector<std::string> Matched(absl::string_view pattern) {
  ModelInfo model;
  model.n_layer = kLayers;
  const absl::StatusOr<std::vector<HookName>> names = ParseHookNames(pattern, model);
  if (!names.ok()) return {std::string(names.status().message())};
  std::vector<std::string> matched;
  for (const HookName& name : *names) {
    matched.emplace_back(name.info->name);
    if (!name.layers.empty()) absl::StrAppend(&matched.back(), " at ", absl::StrJoin(name.layers, ","));
  }
  return matched;
}

TEST(HookPatternsTest, AStarCrossesTheDots) {
  EXPECT_THAT(Matched("*.hook_resid_post"), ElementsAre("blocks.L.hook_resid_post at 0,1,2"));
  EXPECT_THAT(Matched("blocks.1.attn.hook_[*]"), ElementsAre(HasSubstr("no hook point")));
  EXPECT_THAT(Matched("blocks.1.attn.hook_q*"), ElementsAre("blocks.L.hook_q_input at 1", "blocks.L.attn.hook_q at 1"));
}

TEST(HookPatternsTest, AStarAloneIsEveryValueOnce) {
  const std::vector<std::string> all = Matched("*");
  EXPECT_THAT(all, Contains("logits"));
  EXPECT_THAT(all, Contains("hidden_states.L at 0,1,2,3"));
  EXPECT_THAT(all, Contains("blocks.L.attn.hook_z at 0,1,2"));
  EXPECT_THAT(all, Not(Contains(HasSubstr("c_proj.input"))));
}

TEST(HookPatternsTest, BracesGiveAlternatives) {
  EXPECT_THAT(Matched("*.{0,2}.hook_{attn,mlp}_out"),
              ElementsAre("blocks.L.hook_attn_out at 0,2", "blocks.L.hook_mlp_out at 0,2"));
  EXPECT_THAT(Matched("hook_{pos_,}embed"), ElementsAre("hook_embed", "hook_pos_embed"));
}

TEST(HookPatternsTest, LayersMayCountFromTheEnd) {
  EXPECT_THAT(Matched("*.{0,-1}.hook_resid_pre"), ElementsAre("blocks.L.hook_resid_pre at 0,2"));
}

TEST(HookPatternsTest, ALayerTakesAllItsPoints) {
  EXPECT_THAT(Matched("blocks.2.*"), Contains("blocks.L.mlp.hook_post at 2"));
  EXPECT_THAT(Matched("blocks.2.*"), Not(Contains(HasSubstr("hidden_states"))));
  EXPECT_THAT(Matched("transformer.h.2.*"), Contains("transformer.h.L.attn.c_proj.input at 2"));
}

TEST(HookPatternsTest, ANameIsNoPattern) {
  EXPECT_THAT(Matched("attn.c_proj"), ElementsAre("blocks.L.hook_attn_out"));
  EXPECT_THAT(Matched("blocks.*.hook_attn_out"), SizeIs(1));
}

TEST(HookPatternsTest, WhatMatchesNothingIsSaid) {
  EXPECT_THAT(Matched("blocks.9.*"), ElementsAre(HasSubstr("no hook point's name matches \"blocks.9.*\"")));
  EXPECT_THAT(Matched("*{"), ElementsAre(HasSubstr("no hook point's name matches")));
  EXPECT_THAT(Matched(std::string(200, '*')), ElementsAre(HasSubstr("200 bytes")));
}

TEST(HookPatternsTest, CharactersOfRegularExpressionsStandForThemselves) {
  EXPECT_THAT(Matched("hook_emb.d*"), ElementsAre(HasSubstr("no hook point's name matches")));
  EXPECT_THAT(Matched("(hook_embed)*"), ElementsAre(HasSubstr("no hook point's name matches")));
}

}  // namespace
}  // namespace hydrophone
