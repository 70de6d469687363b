#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "server/core/hook_points.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// "attention delta of layer 10": a name's meaning, printable.
std::string Meaning(absl::string_view name) {
  const absl::StatusOr<HookName> parsed = ParseHookName(name);
  if (!parsed.ok()) return std::string(parsed.status().message());
  const std::string point = parsed->info->name;
  switch (parsed->layer_kind) {
    case HookName::Layer::kAbsent:
      return point;
    case HookName::Layer::kGiven:
      return absl::StrCat(point, " at ", absl::StrJoin(parsed->layers, ","));
    case HookName::Layer::kAll:
      return absl::StrCat(point, " at *");
  }
  return "";
}

std::vector<std::string> AllNames(const HookPointInfo& info) {
  std::vector<std::string> names = {info.name};
  if (info.hugging_face[0] != '\0') names.emplace_back(info.hugging_face);
  for (const char* alias : info.aliases) names.emplace_back(alias);
  return names;
}

TEST(HookNamesTest, EveryNameOfTheCatalogueIsReadWithItsLayer) {
  for (const HookPointInfo& info : HookPoints()) {
    for (const std::string& name : AllNames(info)) {
      const bool layered = absl::StrContains(name, "L");
      EXPECT_EQ(Meaning(name), info.name);
      const std::string given = absl::StrReplaceAll(name, {{"L", "7"}});
      EXPECT_EQ(Meaning(given), layered ? absl::StrCat(info.name, " at 7") : info.name) << given;
      const std::string all = absl::StrReplaceAll(name, {{"L", "*"}});
      EXPECT_EQ(Meaning(all), layered ? absl::StrCat(info.name, " at *") : info.name) << all;
    }
  }
}

TEST(HookNamesTest, ThePrefixOfHuggingFaceModulesMayBeLeftOutAndOutputAppended) {
  for (const HookPointInfo& info : HookPoints()) {
    for (const std::string& name : AllNames(info)) {
      if (!absl::StartsWith(name, "transformer.")) continue;
      EXPECT_EQ(Meaning(absl::StripPrefix(name, "transformer.")), info.name);
      if (absl::EndsWith(name, ".input")) continue;
      EXPECT_EQ(Meaning(name + ".output"), info.name);
    }
  }
}

TEST(HookNamesTest, TheSpellingsOfOneDeltaMeanTheSame) {
  for (const char* name :
       {"blocks.10.hook_attn_out", "blocks.10.attn.hook_out", "blocks.10.attn.o.hook_out",
        "transformer.h.10.attn.c_proj", "h.10.attn.c_proj", "h.10.attn.c_proj.output",
        "transformer.h.10.attn.resid_dropout.input", "blocks[10].hook_attn_out", "transformer.h[10].attn.c_proj"}) {
    EXPECT_EQ(Meaning(name), "blocks.L.hook_attn_out at 10") << name;
  }
}

TEST(HookNamesTest, WithoutTheLayerTheSelectorDecides) {
  EXPECT_EQ(Meaning("attn.c_proj"), "blocks.L.hook_attn_out");
  EXPECT_EQ(Meaning("hook_attn_out"), "blocks.L.hook_attn_out");
  EXPECT_EQ(Meaning("mlp.c_proj"), "blocks.L.hook_mlp_out");
  EXPECT_EQ(Meaning("attn.hook_z"), "blocks.L.attn.hook_z");
  EXPECT_EQ(Meaning("ln_1"), "blocks.L.ln1.hook_out");
  EXPECT_EQ(Meaning("ln_2.input"), "blocks.L.ln2.hook_in");
  EXPECT_EQ(Meaning("hook_resid_pre"), "blocks.L.hook_resid_pre");
  EXPECT_EQ(Meaning("hidden_states"), "hidden_states.L");
  EXPECT_EQ(Meaning("hook_out"), "blocks.L.hook_resid_post");
}

TEST(HookNamesTest, AnInputIsTheBranchOrTheValueThatTheModuleReads) {
  EXPECT_EQ(Meaning("transformer.h.3.attn.c_proj.input"), "transformer.h.L.attn.c_proj.input at 3");
  EXPECT_EQ(Meaning("transformer.h.3.ln_1.input"), "blocks.L.ln1.hook_in at 3");
  EXPECT_EQ(Meaning("transformer.h.3.ln_2.input"), "blocks.L.ln2.hook_in at 3");
  EXPECT_EQ(Meaning("transformer.ln_f.input"), "ln_final.hook_in");
  EXPECT_EQ(Meaning("transformer.h.3.input"), "blocks.L.hook_resid_pre at 3");
  EXPECT_EQ(Meaning("transformer.h.3.mlp.c_proj.input"), "blocks.L.mlp.hook_post at 3");
  EXPECT_EQ(Meaning("lm_head.input"), "ln_final.hook_out");
}

TEST(HookNamesTest, TheModulesOfABlocksHalvesEndWithTheDropout) {
  EXPECT_EQ(Meaning("transformer.h.3.attn"), "blocks.L.attn.hook_resid_dropout at 3");
  EXPECT_EQ(Meaning("transformer.h.3.mlp"), "blocks.L.mlp.hook_dropout at 3");
  EXPECT_EQ(Meaning("blocks.3.mlp.hook_out"), "blocks.L.mlp.hook_dropout at 3");
  EXPECT_EQ(Meaning("blocks.3.hook_mlp_out"), "blocks.L.hook_mlp_out at 3");
}

TEST(HookNamesTest, WhatNoOtherPointIsCalledMayBeShort) {
  EXPECT_EQ(Meaning("resid_post"), "blocks.L.hook_resid_post");
  EXPECT_EQ(Meaning("k"), "blocks.L.attn.hook_k");
  EXPECT_EQ(Meaning("pattern"), "blocks.L.attn.hook_pattern");
  EXPECT_EQ(Meaning("hook_logits"), "logits");
  EXPECT_EQ(Meaning("blocks.3.resid_pre"), "blocks.L.hook_resid_pre at 3");
  EXPECT_EQ(Meaning("blocks.3.attn.z"), "blocks.L.attn.hook_z at 3");
  EXPECT_EQ(Meaning("blocks.3.hook_z"), "blocks.L.attn.hook_z at 3");
  EXPECT_EQ(Meaning("c_fc"), "blocks.L.mlp.hook_pre");
  EXPECT_EQ(Meaning("embed"), "hook_embed");
}

TEST(HookNamesTest, AShortNameOfSeveralPointsLeadsToThem) {
  EXPECT_EQ(Meaning("c_proj"), "\"c_proj\" may mean any of blocks.L.hook_attn_out, blocks.L.hook_mlp_out");
  EXPECT_EQ(Meaning("blocks.3.scale"),
            "\"blocks.3.scale\" may mean any of blocks.3.ln1.hook_scale, blocks.3.ln2.hook_scale");
  EXPECT_EQ(Meaning("output[0]"), "\"output[0]\" may mean any of blocks.L.hook_resid_post, logits");
}

TEST(HookNamesTest, BracketsAndTheFirstOfATupleAreReadAsPyTorchUsersTypeThem) {
  EXPECT_EQ(Meaning("h[3]"), "blocks.L.hook_resid_post at 3");
  EXPECT_EQ(Meaning("h[3].output[0]"), "blocks.L.hook_resid_post at 3");
  EXPECT_EQ(Meaning("transformer.h[3].attn.output[0]"), "blocks.L.attn.hook_resid_dropout at 3");
  EXPECT_EQ(Meaning("transformer.h.3.mlp.output"), "blocks.L.mlp.hook_dropout at 3");
}

TEST(HookNamesTest, ANameMayListItsLayers) {
  EXPECT_EQ(Meaning("blocks.{0,11}.hook_attn_out"), "blocks.L.hook_attn_out at 0,11");
  EXPECT_EQ(Meaning("h.{-1}.attn.c_proj"), "blocks.L.hook_attn_out at -1");
  EXPECT_EQ(ParseHookName("blocks.0,11.hook_attn_out").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ParseHookName("blocks.{0,}.hook_attn_out").status().code(), absl::StatusCode::kNotFound);
}

TEST(HookNamesTest, HiddenStatesGoByBracketsDotsAndStars) {
  EXPECT_EQ(Meaning("hidden_states[3]"), "hidden_states.L at 3");
  EXPECT_EQ(Meaning("hidden_states.3"), "hidden_states.L at 3");
  EXPECT_EQ(Meaning("hidden_states[-1]"), "hidden_states.L at -1");
  EXPECT_EQ(Meaning("output.hidden_states[12]"), "hidden_states.L at 12");
  EXPECT_EQ(Meaning("hidden_states[*]"), "hidden_states.L at *");
  EXPECT_EQ(Meaning("hidden_states.*"), "hidden_states.L at *");
}

TEST(HookNamesTest, LayersMayBeNegative) {
  EXPECT_EQ(Meaning("blocks.-1.hook_resid_post"), "blocks.L.hook_resid_post at -1");
}

TEST(HookNamesTest, NonsenseIsNotFound) {
  for (const char* name : {"",
                           ".",
                           "blocks",
                           "blocks.",
                           "blocks..hook_attn_out",
                           "blocks.1.2.hook_attn_out",
                           "blocks.1x.hook_attn_out",
                           "blocks.1.hook_attn_out.",
                           "blocks.+1.hook_attn_out",
                           "blocks.9999999999.hook_attn_out",
                           "blocks.--1.hook_attn_out",
                           "logits.3",
                           "hidden_states[3",
                           "hidden_states]3[",
                           "hidden_states[3]x",
                           "[",
                           "]",
                           "1",
                           "*",
                           "L",
                           "input",
                           "transformer",
                           "hook_embed.input",
                           "HOOK_EMBED",
                           " hook_embed"}) {
    EXPECT_EQ(ParseHookName(name).status().code(), absl::StatusCode::kNotFound) << name;
  }
}

TEST(HookNamesTest, AMisspeltNameGetsTheNearestOnes) {
  EXPECT_THAT(Meaning("blocks.10.hook_attn_ot"), HasSubstr("nearest names are blocks.10.hook_attn_out"));
  EXPECT_THAT(Meaning("transformer.h.3.mlp.c_prog"), HasSubstr("nearest names are transformer.h.3.mlp.c_proj"));
  EXPECT_THAT(Meaning("resid_pst"), HasSubstr("resid_post"));
  EXPECT_THAT(Meaning("zzzzzzzz"), HasSubstr("ListHookPoints"));
}

TEST(HookNamesTest, ErrorsEscapeAndBoundWhatTheyRepeat) {
  EXPECT_THAT(Meaning("hook\n\x01"), HasSubstr("\\n"));
  const std::string message = Meaning(std::string(1 << 20, 'a'));
  EXPECT_LT(message.size(), 100u);
  EXPECT_THAT(message, Not(HasSubstr("aaaa")));
}

}  // namespace
}  // namespace hydrophone
