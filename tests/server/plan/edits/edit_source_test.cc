#include "server/plan/edits/edit_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/plan/inputs/positions.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Run 0 is edited; run 1 is as long as it, run 2 shorter, run 3 over a skipped input, run 4 over a refused one.
const SourceRun kRuns[] = {{5, 0, false}, {5, 1, false}, {3, 2, false}, {kNoRun, 0, true}, {kNoRun, 0, false}};

EditTarget TargetAt(Site site, std::vector<int> layers, std::vector<int64_t> positions = {0, 2}) {
  EditTarget target;
  target.path = "edit";
  target.run = {0, 0, 5};
  target.info = &HookPointOf(site);
  target.layers = std::move(layers);
  target.positions = std::move(positions);
  return target;
}

std::optional<PatchSource> Read(const std::string& text, const EditTarget& target, Violations* violations) {
  return ReadPatchSource(Parse<v1::Source>(text), "patch", target, kRuns, FakeServer().model, violations);
}

PatchSource SourceOf(const std::string& text, const EditTarget& target) {
  Violations violations;
  std::optional<PatchSource> source = Read(text, target, &violations);
  EXPECT_THAT(Lines(violations), IsEmpty());
  return source.value_or(PatchSource());
}

std::vector<std::string> Refusals(const std::string& text, const EditTarget& target) {
  Violations violations;
  EXPECT_FALSE(Read(text, target, &violations).has_value());
  return Lines(violations);
}

TEST(ReadPatchSource, ReadsTheSamePlacesUnlessToldOtherwise) {
  const PatchSource source = SourceOf("run: 2", TargetAt(Site::kMlpOut, {2, 0}));
  EXPECT_EQ(source.made, 2u);
  EXPECT_THAT(source.points, ElementsAre(HookPoint{Site::kMlpOut, 2}, HookPoint{Site::kMlpOut, 0}));
  EXPECT_THAT(source.positions, ElementsAre(0, 2));
}

TEST(ReadPatchSource, ReadsAnotherPointAtTheEditedLayer) {
  EXPECT_THAT(SourceOf("run: 1 hook_point: 'hook_attn_out'", TargetAt(Site::kMlpOut, {1, 2})).points,
              ElementsAre(HookPoint{Site::kAttnOut, 1}, HookPoint{Site::kAttnOut, 2}));
}

TEST(ReadPatchSource, ReadsAnotherLayer) {
  EXPECT_THAT(SourceOf("run: 1 layer: -3", TargetAt(Site::kMlpOut, {1, 2})).points,
              ElementsAre(HookPoint{Site::kMlpOut, 0}, HookPoint{Site::kMlpOut, 0}));
  EXPECT_THAT(SourceOf("run: 1 hook_point: 'blocks.-2.hook_mlp_out'", TargetAt(Site::kMlpOut, {2})).points,
              ElementsAre(HookPoint{Site::kMlpOut, 1}));
}

TEST(ReadPatchSource, ReadsPointsOutsideTheBlocks) {
  EXPECT_THAT(SourceOf("run: 1 hook_point: 'hook_embed'", TargetAt(Site::kMlpOut, {0})).points,
              ElementsAre(HookPoint{Site::kEmbed, -1}));
}

TEST(ReadPatchSource, ReadsOtherPositions) {
  EXPECT_THAT(SourceOf("run: 2 positions { at: [-1, 0] }", TargetAt(Site::kMlpOut, {0})).positions, ElementsAre(2, 0));
}

TEST(ReadPatchSource, RefusesRunsThatCannotBeRead) {
  const EditTarget target = TargetAt(Site::kMlpOut, {0});
  EXPECT_THAT(Refusals("run: 5", target), ElementsAre("patch.run: got 5, expected an index below 5"));
  EXPECT_THAT(Refusals("run: 0", target), ElementsAre("patch.run: got 0, the run itself, expected another run"));
  EXPECT_THAT(Refusals("run: 3", target),
              ElementsAre("patch.run: got 3, whose input was skipped, expected a run that is made"));
}

TEST(ReadPatchSource, ARunWhoseInputIsRefusedIsNotRefusedAgain) {
  EXPECT_THAT(Refusals("run: 4", TargetAt(Site::kMlpOut, {0})), IsEmpty());
}

TEST(ReadPatchSource, PatternsNeedARunOfTheSameLength) {
  EXPECT_THAT(Refusals("run: 2", TargetAt(Site::kPattern, {0})),
              ElementsAre(StartsWith("patch.run: got 2, a run of 3 tokens, expected one of 5, ")));
  EXPECT_EQ(SourceOf("run: 1", TargetAt(Site::kPattern, {0})).made, 1u);
}

TEST(ReadPatchSource, RefusesAnUnknownName) {
  EXPECT_THAT(Refusals("run: 1 hook_point: 'nonsense'", TargetAt(Site::kMlpOut, {0})),
              ElementsAre(StartsWith("patch.hook_point: no hook point is called")));
}

TEST(ReadPatchSource, RefusesOtherHeadsAndFeatures) {
  EXPECT_THAT(Refusals("run: 1 hook_point: 'attn.hook_q'", TargetAt(Site::kMlpOut, {0})),
              ElementsAre("patch.hook_point: got blocks.L.attn.hook_q of 2 x 4, expected the heads and features of "
                          "blocks.L.hook_mlp_out of 1 x 8"));
  EXPECT_THAT(Refusals("run: 1 hook_point: 'attn.hook_q'", TargetAt(Site::kPattern, {0})),
              ElementsAre("patch.hook_point: got blocks.L.attn.hook_q of 2 x 4, expected the heads and features of "
                          "blocks.L.attn.hook_pattern [heads, queries, keys]"));
}

TEST(ReadPatchSource, RefusesPointsComputedLater) {
  EXPECT_THAT(
      Refusals("run: 1 hook_point: 'hook_mlp_out'", TargetAt(Site::kAttnOut, {1})),
      ElementsAre("patch.hook_point: got blocks.1.hook_mlp_out, which is computed after blocks.1.hook_attn_out; "
                  "expected a point computed no later than the edited one"));
  EXPECT_THAT(Refusals("run: 1 layer: 2", TargetAt(Site::kAttnOut, {1})),
              ElementsAre(StartsWith("patch.layer: got blocks.2.hook_attn_out, which is computed after ")));
}

TEST(ReadPatchSource, RefusesLayersThatMakeNoSense) {
  const EditTarget target = TargetAt(Site::kMlpOut, {1});
  EXPECT_THAT(Refusals("run: 1 layer: 3", target), ElementsAre("patch.layer: got layer 3, expected -3 to 2"));
  EXPECT_THAT(Refusals("run: 1 hook_point: 'blocks.3.hook_mlp_out'", target),
              ElementsAre("patch.hook_point: got layer 3, expected -3 to 2"));
  EXPECT_THAT(Refusals("run: 1 hook_point: 'blocks.1.hook_mlp_out' layer: 1", target),
              ElementsAre("patch.layer: got a layer beside the one in the name, expected none"));
  EXPECT_THAT(Refusals("run: 1 hook_point: 'blocks.*.hook_mlp_out'", target),
              ElementsAre("patch.hook_point: got several layers, expected one; without a layer, the edited one"));
  EXPECT_THAT(Refusals("run: 1 hook_point: 'hook_embed' layer: 0", target),
              ElementsAre("patch.layer: got a layer for a point outside the blocks, expected none"));
}

TEST(ReadPatchSource, ALayerMustBeNamedWhereTheEditedPointHasNone) {
  EXPECT_THAT(Refusals("run: 1 hook_point: 'hook_resid_post'", TargetAt(Site::kLnFinalOut, {-1})),
              ElementsAre("patch.layer: got no layer, expected one: the edited point has none"));
}

TEST(ReadPatchSource, RefusesOtherNumbersOfPositions) {
  EXPECT_THAT(Refusals("run: 1 positions { slice: ':' }", TargetAt(Site::kMlpOut, {0})),
              ElementsAre("patch.positions: got 5 positions, expected 2, as many as are edited"));
}

TEST(ReadPatchSource, RefusesPositionsThatTheSourceLacks) {
  EXPECT_THAT(Refusals("run: 2 positions { at: [0, 3] }", TargetAt(Site::kMlpOut, {0})),
              ElementsAre("patch.positions.at[1]: got 3, expected -3 to 2: the run has 3 tokens"));
  EXPECT_THAT(
      Refusals("run: 2", TargetAt(Site::kMlpOut, {0}, {0, 4})),
      ElementsAre("patch.positions: got none, so those edited, up to 4; expected them below 3, the source run's "
                  "tokens"));
}

TEST(ReadPatchSource, RefusesPositionsPerInput) {
  EXPECT_THAT(Refusals("run: 1 positions { per_input { at: 0 } }", TargetAt(Site::kMlpOut, {0})),
              ElementsAre("patch.positions.per_input: got per_input for one run, expected at or slice"));
}

TEST(ReadPatchSource, NamesAllThatIsWrongAtOnce) {
  EXPECT_THAT(Refusals("run: 9 hook_point: 'nonsense'", TargetAt(Site::kMlpOut, {0})),
              ElementsAre(StartsWith("patch.hook_point: "), StartsWith("patch.run: ")));
}

}  // namespace
}  // namespace hydrophone
