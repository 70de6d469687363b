#include "server/plan/edits/edit_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// A run of five tokens of the fake model: three blocks, width 8, two heads.
constexpr EditedRun kRun{/*number=*/3, /*made=*/1, /*length=*/5};

EditTarget TargetOf(const std::string& text) {
  Violations violations;
  const FakeServer server;
  auto target = ReadEditTarget(Parse<v1::Intervention>(text), "edit", kRun, server.model, &violations);
  EXPECT_THAT(Lines(violations), IsEmpty());
  return target.value_or(EditTarget());
}

std::vector<std::string> Refusals(const std::string& text) {
  Violations violations;
  const FakeServer server;
  EXPECT_FALSE(ReadEditTarget(Parse<v1::Intervention>(text), "edit", kRun, server.model, &violations).has_value());
  return Lines(violations);
}

TEST(ReadEditTarget, ReadsThePointItsLayersPositionsAndUnits) {
  const EditTarget target = TargetOf(
      "hook_point: 'attn.hook_z' layers: [-1, 0] positions { at: [-1, 2] } units { heads: 1 features: [0, -1] }");
  EXPECT_EQ(target.path, "edit");
  EXPECT_EQ(target.run.made, 1u);
  EXPECT_EQ(target.info->site, Site::kZ);
  EXPECT_THAT(target.layers, ElementsAre(2, 0));
  EXPECT_THAT(target.positions, ElementsAre(4, 2));
  EXPECT_THAT(target.units.heads, ElementsAre(1));
  EXPECT_THAT(target.units.features, ElementsAre(0, 3));
}

TEST(ReadEditTarget, AStarInTheNameMeansAllLayers) {
  EXPECT_THAT(TargetOf("hook_point: 'blocks.*.hook_mlp_out' positions { slice: ':' }").layers, ElementsAre(0, 1, 2));
}

TEST(ReadEditTarget, APointOutsideTheBlocksNeedsNoLayer) {
  EXPECT_THAT(TargetOf("hook_point: 'hook_embed' positions { slice: '::2' }").positions, ElementsAre(0, 2, 4));
}

TEST(ReadEditTarget, KeysCountFromTheEndOfTheRun) {
  EXPECT_THAT(
      TargetOf("hook_point: 'blocks.0.attn.hook_pattern' positions { at: 4 } units { features: -5 }").units.features,
      ElementsAre(0));
}

TEST(ReadEditTarget, RefusesAnUnknownName) {
  EXPECT_THAT(Refusals("hook_point: 'blocks.0.hook_mlp_oot' positions { at: 0 }"),
              ElementsAre(StartsWith("edit.hook_point: no hook point is called \"blocks.0.hook_mlp_oot\"")));
}

TEST(ReadEditTarget, SaysWhatToEditInsteadOfAPointThatCanOnlyBeCaptured) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"hidden_states.1", "expected blocks.L.hook_resid_pre, or for the last state ln_final.hook_out"},
      {"blocks.1.ln1.hook_scale", "expected blocks.L.ln1.hook_out"},
      {"blocks.1.ln1.hook_normalized", "expected blocks.L.ln1.hook_out"},
      {"blocks.1.ln2.hook_scale", "expected blocks.L.ln2.hook_out"},
      {"ln_final.hook_normalized", "expected ln_final.hook_out"},
      {"logits", "expected ln_final.hook_out"},
      {"blocks.1.attn.hook_result", "expected blocks.L.attn.hook_z"},
      {"blocks.1.hook_reconstruction_residual", "expected a point that ListHookPoints calls editable"},
  };
  for (const auto& [name, expected] : cases) {
    EXPECT_THAT(Refusals("hook_point: '" + name + "' positions { at: 0 }"),
                ElementsAre(::testing::AllOf(StartsWith("edit.hook_point: got "),
                                             HasSubstr("can be captured but not edited"), HasSubstr(expected))));
  }
}

TEST(ReadEditTarget, RefusesLayersThatAreNotNamed) {
  EXPECT_THAT(
      Refusals("hook_point: 'hook_mlp_out' positions { at: 0 }"),
      ElementsAre("edit.layers: got no layers, expected them here, or in hook_point a number, or \"*\" for all"));
}

TEST(ReadEditTarget, NamesLayersOutOfRangeAndTwiceThere) {
  EXPECT_THAT(Refusals("hook_point: 'hook_mlp_out' layers: [3, 1, -2] positions { at: 0 }"),
              ElementsAre("edit.layers[0]: got 3, expected -3 to 2",
                          "edit.layers[2]: got layer 1 again, expected each layer once"));
}

TEST(ReadEditTarget, RefusesPositionsThatAreNotNamed) {
  EXPECT_THAT(Refusals("hook_point: 'hook_embed'"),
              ElementsAre("edit.positions: got no positions, expected them named; slice \":\" means all"));
  EXPECT_THAT(Refusals("hook_point: 'hook_embed' positions {}"),
              ElementsAre(StartsWith("edit.positions: got 0 of at")));
}

TEST(ReadEditTarget, NamesEachPositionOutOfRangeOrTwiceThere) {
  EXPECT_THAT(Refusals("hook_point: 'hook_embed' positions { at: [0, 1, 5] }"),
              ElementsAre("edit.positions.at[2]: got 5, expected -5 to 4: the run has 5 tokens"));
  EXPECT_THAT(Refusals("hook_point: 'hook_embed' positions { at: [0, 4, -1] }"),
              ElementsAre("edit.positions.at[2]: got position 4 again, expected each position once"));
}

TEST(ReadEditTarget, RefusesASliceOfNothing) {
  EXPECT_THAT(
      Refusals("hook_point: 'hook_embed' positions { slice: '5:' }"),
      ElementsAre("edit.positions.slice: got \"5:\", which is none of the run's 5 positions, expected at least one"));
}

TEST(ReadEditTarget, RefusesPositionsPerInput) {
  EXPECT_THAT(Refusals("hook_point: 'hook_embed' positions { per_input { at: 0 } }"),
              ElementsAre("edit.positions.per_input: got per_input in an edit of one run, expected at or slice"));
}

TEST(ReadEditTarget, RefusesUnitsThatThePointLacks) {
  EXPECT_THAT(Refusals("hook_point: 'hook_embed' positions { at: 0 } units { heads: 0 }"),
              ElementsAre(StartsWith("edit.units.heads: ")));
  EXPECT_THAT(Refusals("hook_point: 'hook_embed' positions { at: 0 } units { features: 8 }"),
              ElementsAre("edit.units.features[0]: got 8, expected -8 to 7"));
}

TEST(ReadEditTarget, NamesAllThatIsWrongAtOnce) {
  EXPECT_THAT(Refusals("hook_point: 'hook_mlp_out' layers: 9 positions { at: 9 }"),
              ElementsAre(StartsWith("edit.layers[0]: "), StartsWith("edit.positions.at[0]: ")));
}

}  // namespace
}  // namespace hydrophone
