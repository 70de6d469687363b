// What the planner makes of units, reductions, projections, lenses and baselines.
#include "server/plan/captures/capture_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/plan/captures/captures.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Form = CaptureFormat::Form;

// Requests over the texts "abc" and "de" unless they say otherwise: 5 tokens.
class CaptureGroupsTest : public ::testing::Test {
 protected:
  absl::StatusOr<ExtractCall> Plan(const std::string& hooks, const std::string& inputs = "texts: ['abc', 'de'] ") {
    return PlanExtract(Parse<v1::ExtractRequest>(inputs + hooks), "sha", server_.context());
  }
  ExtractCall Planned(const std::string& hooks, const std::string& inputs = "texts: ['abc', 'de'] ") {
    absl::StatusOr<ExtractCall> call = Plan(hooks, inputs);
    EXPECT_TRUE(call.ok()) << call.status();
    return call.ok() ? *call : ExtractCall();
  }
  Capture First(const std::string& hooks) { return Planned(hooks).plan.captures.at(0); }
  std::vector<std::string> Refusals(const std::string& hooks, const std::string& inputs = "texts: ['abc', 'de'] ") {
    return Lines(Plan(hooks, inputs).status());
  }

  FakeServer server_;
};

// Runs of "abc", "de", "abc": the last is compared with the first.
constexpr char kBaseline[] = "texts: ['abc', 'de'] runs {} runs { input: 1 } runs { baseline: 0 } ";

TEST_F(CaptureGroupsTest, UnitsShortenARow) {
  ExtractCall call = Planned("hooks { hook_point: 'blocks.0.attn.hook_q' units { heads: -1 features: [0, 2, 3] } }");
  const Capture& capture = call.plan.captures[0];
  EXPECT_THAT(capture.units.heads, ElementsAre(1));
  EXPECT_THAT(capture.units.features, ElementsAre(0, 2, 3));
  EXPECT_THAT(capture.row_shape, ElementsAre(1, 3));
  EXPECT_EQ(call.data_bytes, 5u * 3 * 4);
  EXPECT_EQ(call.plan.capture_bytes, 5u * 3 * 4);
}

TEST_F(CaptureGroupsTest, ARowWithoutUnitsIsWhole) {
  EXPECT_THAT(First("hook_points: 'blocks.0.attn.hook_q'").row_shape, ElementsAre(2, 4));
  EXPECT_THAT(First("hook_points: 'blocks.0.ln1.hook_scale'").row_shape, ElementsAre(1));
}

TEST_F(CaptureGroupsTest, NamesUnitsThatAreNotThere) {
  EXPECT_THAT(Refusals("hooks { hook_point: 'hook_embed' units { heads: 0 features: 8 } }"),
              ElementsAre(StartsWith("hooks[0].units.heads: "), "hooks[0].units.features[0]: got 8, expected -8 to 7"));
}

TEST_F(CaptureGroupsTest, PatternsHaveEachRunsKeys) {
  ExtractCall call = Planned("hooks { hook_point: 'blocks.0.attn.hook_pattern' positions { at: [0, -1] } }");
  const Capture& capture = call.plan.captures[0];
  EXPECT_THAT(capture.row_shape, ElementsAre(2));
  EXPECT_THAT(capture.keys_per_run, ElementsAre(3, 2));
  EXPECT_THAT(capture.TensorShape(0), ElementsAre(2, 2, 3));
  EXPECT_THAT(capture.TensorShape(1), ElementsAre(2, 2, 2));
  EXPECT_EQ(call.data_bytes, 4u * (2 * 2 * 3 + 2 * 2 * 2));
}

TEST_F(CaptureGroupsTest, UnitsOfPatternsAreHeadsAndKeys) {
  const Capture capture =
      First("hooks { hook_point: 'blocks.0.attn.hook_pattern' units { heads: 1 features: [1, 0] } }");
  EXPECT_THAT(capture.TensorShape(0), ElementsAre(1, 3, 2));
  EXPECT_THAT(capture.TensorShape(1), ElementsAre(1, 2, 2));
}

TEST_F(CaptureGroupsTest, RefusesPatternsAsRowsOfOneTensor) {
  EXPECT_THAT(Refusals("layout: LAYOUT_ROWS hook_points: 'attn.hook_pattern'"),
              ElementsAre("layout: got LAYOUT_ROWS for hook_points[0] (blocks.L.attn.hook_pattern), expected "
                          "LAYOUT_PER_RUN: a row has as many keys as its run has tokens"));
}

TEST_F(CaptureGroupsTest, AReductionIsOneRowOfEachRun) {
  ExtractCall call = Planned("hooks { hook_point: 'hook_embed' reduction: REDUCTION_MEAN }");
  EXPECT_EQ(call.plan.captures[0].reduction, Reduction::kMean);
  EXPECT_THAT(call.plan.captures[0].rows_per_run, ElementsAre(3, 2));
  EXPECT_THAT(call.plan.captures[0].TensorShape(0), ElementsAre(1, 8));
  EXPECT_EQ(call.data_bytes, 2u * 8 * 4);
}

TEST_F(CaptureGroupsTest, ReducedLogitsHoldAllTheirRows) {
  ExtractCall call = Planned("hooks { hook_point: 'logits' reduction: REDUCTION_MAX units { features: 1 } }");
  EXPECT_EQ(call.data_bytes, 2u * 4);
  EXPECT_EQ(call.plan.capture_bytes, 4u * (2 + 5 * 257));
}

TEST_F(CaptureGroupsTest, RefusesToReduceNothing) {
  EXPECT_THAT(Refusals("hooks { hook_point: 'hook_embed' reduction: REDUCTION_MAX positions { slice: '2:' } }"),
              ElementsAre("hooks[0].reduction: got no positions of run 1, expected at least one to reduce"));
}

TEST_F(CaptureGroupsTest, AProjectionReplacesTheLastDimension) {
  ExtractCall call = Planned(
      "hooks { hook_point: 'blocks.0.attn.hook_z' "
      "project { shape: [3, 4] floats: [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3] } }");
  EXPECT_THAT(call.plan.captures[0].row_shape, ElementsAre(2, 3));
  EXPECT_EQ(call.plan.captures[0].projection->count, 3);
  EXPECT_EQ(call.data_bytes, 5u * 2 * 3 * 4);
}

TEST_F(CaptureGroupsTest, AProjectionReadsWhatUnitsLeave) {
  EXPECT_THAT(First("hooks { hook_point: 'hook_embed' units { features: [1, 5] } project { shape: 2 floats: [1, 2] } }")
                  .row_shape,
              ElementsAre(1));
  EXPECT_THAT(Refusals("hooks { hook_point: 'hook_embed' units { features: [1, 5, 6] } "
                       "        project { shape: 2 floats: [1, 2] } } "
                       "hooks { hook_point: 'hook_embed' project { shape: [1, 2] floats: [1, 2] } }"),
              ElementsAre("hooks[0].project.shape: got width 2, expected 3: the last dimension of hook_embed after "
                          "units",
                          "hooks[1].project.shape: got width 2, expected 8: the last dimension of hook_embed"));
}

TEST_F(CaptureGroupsTest, AProjectionOfKeysFitsEveryRun) {
  const std::string project = "project { shape: [2, 3] floats: [1, 2, 3, 4, 5, 6] } ";
  EXPECT_THAT(First("hooks { hook_point: 'attn.hook_pattern' runs: 0 " + project + "}").TensorShape(0),
              ElementsAre(2, 3, 2));
  EXPECT_THAT(Refusals("hooks { hook_point: 'attn.hook_pattern' " + project + "}"),
              ElementsAre("hooks[0].project.shape: got width 3, expected 2: the keys of blocks.L.attn.hook_pattern"));
}

TEST_F(CaptureGroupsTest, ALensGivesScoresOfEachRunInEitherLayout) {
  for (std::string layout : {"", "layout: LAYOUT_ROWS "}) {
    ExtractCall call =
        Planned(layout + "hooks { hook_point: 'blocks.1.hook_resid_mid' logit_lens { top_k: 3 token_ids: [7, 9] } }");
    EXPECT_EQ(call.formats[0].form, Form::kScores);
    EXPECT_THAT(call.plan.captures[0].row_shape, ElementsAre(5, Readout::kScoreFields));
    EXPECT_EQ(call.tensors, 2u);
    EXPECT_EQ(call.data_bytes, 0u);
    EXPECT_EQ(call.plan.capture_bytes, 5u * 5 * 4 * 4);
  }
}

TEST_F(CaptureGroupsTest, RefusesALensThatDoesNotFitIntoAMessage) {
  server_.limits.max_message_bytes = 4096;
  EXPECT_TRUE(Plan("hooks { hook_point: 'blocks.1.hook_resid_mid' logit_lens { top_k: 20 } }").ok());
  EXPECT_THAT(
      Refusals("hooks { hook_point: 'blocks.1.hook_resid_mid' logit_lens { top_k: 100 } }"),
      ElementsAre(AllOf(HasSubstr("hooks[0]: needs "), HasSubstr("logit_lens.logits gives the logits as a tensor"),
                        HasSubstr("the limit is 4096"))));
}

TEST_F(CaptureGroupsTest, ALensOfAllLogitsIsATensorWhoseSizeIsKnown) {
  server_.limits.max_message_bytes = 1024;  // a row is larger: chunks need not hold it
  const std::string hook = "hooks { hook_point: 'blocks.1.hook_resid_mid' logit_lens { logits: true } }";
  ExtractCall call = Planned("dtype: DTYPE_FLOAT16 " + hook);
  EXPECT_EQ(call.formats[0].form, Form::kPerRun);
  EXPECT_EQ(call.formats[0].dtype, v1::DTYPE_FLOAT16);
  EXPECT_THAT(call.plan.captures[0].TensorShape(0), ElementsAre(3, 257));
  EXPECT_EQ(call.tensors, 2u);
  EXPECT_EQ(call.data_bytes, 5u * 257 * 2);
  EXPECT_EQ(call.plan.capture_bytes, 5u * 257 * 4);
  call = Planned("layout: LAYOUT_ROWS " + hook);
  EXPECT_EQ(call.formats[0].form, Form::kRows);
  EXPECT_EQ(call.tensors, 1u);
  server_.limits.max_response_bytes = 5 * 257 * 4 - 1;
  EXPECT_THAT(Refusals(hook), ElementsAre("hooks: needs 5140 bytes of captured data, the limit is 5139"));
}

TEST_F(CaptureGroupsTest, AllLogitsOfARunWithABaselineAreCompared) {
  ExtractCall call =
      Planned("hooks { hook_point: 'blocks.0.hook_resid_mid' runs: 2 logit_lens { logits: true } }", kBaseline);
  EXPECT_EQ(call.formats[0].form, Form::kComparison);
  EXPECT_THAT(call.plan.captures[0].rows, ElementsAre(5, 6, 7, 0, 1, 2));
  EXPECT_THAT(call.plan.captures[0].TensorShape(0), ElementsAre(3, 257));
}

TEST_F(CaptureGroupsTest, ADivergenceFromTheEndComesWithTheLogitsAndHoldsItsStates) {
  ExtractCall call = Planned(
      "hooks { hook_point: 'blocks.0.hook_resid_mid' logit_lens { final_divergence: true } } "
      "hook_points: 'blocks.1.hook_mlp_out'");
  ASSERT_EQ(call.plan.captures.size(), 2u);
  EXPECT_EQ(CanonicalName(call.plan.captures[0].point), "blocks.1.hook_mlp_out");
  EXPECT_EQ(CanonicalName(call.plan.captures[1].point), "blocks.0.hook_resid_mid");
  EXPECT_EQ(call.plan.capture_bytes, 5u * 8 * 4 + 5u * 4 * 4 + 5u * 8 * 4);
}

TEST_F(CaptureGroupsTest, NarrowTypesHalveTheBytesSentAndNotThoseHeld) {
  for (std::string dtype : {"DTYPE_FLOAT16", "DTYPE_BFLOAT16"}) {
    ExtractCall call = Planned("dtype: " + dtype + " hook_points: 'hook_embed'");
    EXPECT_EQ(call.data_bytes, 5u * 8 * 2);
    EXPECT_EQ(call.plan.capture_bytes, 5u * 8 * 4);
  }
}

TEST_F(CaptureGroupsTest, QuantilesHoldACopy) {
  ExtractCall call = Planned("hooks { hook_point: 'hook_embed' view: VIEW_SUMMARY summary { quantiles: 0.5 } }");
  EXPECT_EQ(call.plan.capture_bytes, 2u * 5 * 8 * 4);
}

TEST_F(CaptureGroupsTest, RefusesASummaryThatDoesNotFitIntoAMessage) {
  server_.limits.max_message_bytes = 1024;
  const std::string hook = "hooks { hook_point: 'hook_embed' view: VIEW_SUMMARY summary { top_k: ";
  EXPECT_TRUE(Plan(hook + "10 } }").ok());
  EXPECT_TRUE(Plan(hook + "4000000 } positions { at: 0 } }").ok()) << "a tensor of 8 elements has no more";
  EXPECT_THAT(Refusals(hook + "30 } }"), ElementsAre(HasSubstr("hooks[0].summary: needs ")));
}

TEST_F(CaptureGroupsTest, RefusesMorePositionsThanAPlanHolds) {
  std::string zeros = "0";
  for (int i = 0; i < 9999; ++i) zeros += ", 0";
  std::string hooks;
  for (int i = 0; i < 300; ++i) {
    hooks += "hooks { hook_point: 'hook_resid_mid' reduction: REDUCTION_MEAN positions { at: [" + zeros + "] } } ";
  }
  EXPECT_THAT(Refusals(hooks), ElementsAre("hooks: needs 18000000 positions, the limit is 16777216"));
}

TEST_F(CaptureGroupsTest, ARunWithABaselineIsComparedInACaptureOfItsOwn) {
  ExtractCall call = Planned("hook_points: 'blocks.0.hook_mlp_out'", kBaseline);
  ASSERT_EQ(call.plan.captures.size(), 2u);
  EXPECT_THAT(call.plan.captures[0].runs, ElementsAre(0, 1));
  EXPECT_EQ(call.formats[0].form, Form::kPerRun);
  EXPECT_THAT(call.plan.captures[1].runs, ElementsAre(2, 0));
  EXPECT_THAT(call.plan.captures[1].rows, ElementsAre(5, 6, 7, 0, 1, 2));
  EXPECT_EQ(call.formats[1].form, Form::kComparison);
  EXPECT_EQ(call.formats[1].first_tensor, 2u);
  EXPECT_EQ(call.tensors, 3u);
  EXPECT_EQ(call.data_bytes, 5u * 8 * 4);
  EXPECT_EQ(call.plan.capture_bytes, (5u + 6u) * 8 * 4);
}

TEST_F(CaptureGroupsTest, ComparisonsStandBesideTheRows) {
  ExtractCall call = Planned("layout: LAYOUT_ROWS hook_points: 'hook_embed'", kBaseline);
  EXPECT_EQ(call.formats[0].form, Form::kRows);
  EXPECT_EQ(call.formats[1].form, Form::kComparison);
  EXPECT_EQ(call.tensors, 2u);
  call = Planned("layout: LAYOUT_ROWS hooks { hook_point: 'hook_embed' runs: 2 }", kBaseline);
  ASSERT_EQ(call.formats.size(), 1u);
  EXPECT_EQ(call.formats[0].form, Form::kComparison);
}

TEST_F(CaptureGroupsTest, ComparisonsHaveUnitsAndReductions) {
  const std::string hook =
      "hooks { hook_point: 'hook_embed' runs: 2 units { features: [1, 2] } reduction: REDUCTION_MEAN }";
  const Capture capture = Planned(hook, kBaseline).plan.captures[0];
  EXPECT_THAT(capture.TensorShape(0), ElementsAre(1, 2));
  EXPECT_EQ(capture.Elements(), 4);
}

TEST_F(CaptureGroupsTest, PatternsAreComparedInEitherLayout) {
  ExtractCall call =
      Planned("layout: LAYOUT_ROWS hooks { hook_point: 'blocks.0.attn.hook_pattern' runs: 2 }", kBaseline);
  EXPECT_THAT(call.plan.captures[0].keys_per_run, ElementsAre(3, 3));
}

TEST_F(CaptureGroupsTest, ALensOfARunWithABaselineIsItsOwn) {
  ExtractCall call = Planned("hooks { hook_point: 'blocks.0.hook_resid_mid' logit_lens { top_k: 1 } }", kBaseline);
  ASSERT_EQ(call.plan.captures.size(), 1u);
  EXPECT_THAT(call.plan.captures[0].runs, ElementsAre(0, 1, 2));
  EXPECT_THAT(call.plan.captures[0].baseline_rows, IsEmpty());
}

TEST_F(CaptureGroupsTest, PositionsFromTheEndAreEachRunsOwn) {
  const std::string inputs = "texts: ['abc', 'de'] runs {} runs { input: 1 baseline: 0 } ";
  const Capture capture =
      Planned("hooks { hook_point: 'hook_embed' runs: 1 positions { at: -1 } }", inputs).plan.captures[0];
  EXPECT_THAT(capture.rows, ElementsAre(4, 2));
}

TEST_F(CaptureGroupsTest, ABaselinesPositionsAreThoseOfTheRunComparedWithIt) {
  const Capture capture = Planned(
                              "hooks { hook_point: 'hook_embed' runs: [2, 1] positions { per_input { at: 1 } per_input "
                              "{ at: 0 } } }",
                              kBaseline)
                              .plan.captures[1];
  EXPECT_THAT(capture.runs, ElementsAre(2, 0));
  EXPECT_THAT(capture.rows, ElementsAre(6, 1));
}

TEST_F(CaptureGroupsTest, RefusesToCompareOtherCountsOfPositions) {
  const std::string inputs = "texts: ['abc', 'de'] runs {} runs { input: 1 baseline: 0 } ";
  const std::string hook = "hooks { hook_point: 'hook_embed' positions { slice: '1:' } runs: 1 }";
  EXPECT_THAT(
      Refusals("hook_points: 'hook_embed' " + hook, inputs),
      ElementsAre("hook_points[0]: got 2 positions of run 1 and 3 of its baseline, run 0, expected as many",
                  "hooks[0].positions: got 1 positions of run 1 and 2 of its baseline, run 0, expected as many"));
}

TEST_F(CaptureGroupsTest, RefusesPositionsThatTheBaselineDoesNotHave) {
  const std::string inputs = "texts: ['abc', 'de'] runs { input: 1 } runs { baseline: 0 } ";
  EXPECT_THAT(Refusals("hooks { hook_point: 'hook_embed' runs: 1 positions { at: 2 } }", inputs),
              ElementsAre("hooks[0].positions.at[0]: got 2, expected -2 to 1: the run has 2 tokens"));
}

TEST_F(CaptureGroupsTest, RefusesToCompareOtherNumbersOfKeys) {
  const std::string inputs = "texts: ['abc', 'de'] runs {} runs { input: 1 baseline: 0 } ";
  const std::string hook = "hooks { hook_point: 'attn.hook_pattern' runs: 1 positions { at: 0 } ";
  EXPECT_THAT(Refusals(hook + "}", inputs),
              ElementsAre("hooks[0]: got 2 keys of run 1 and 3 of its baseline, run 0, expected as many"));
  EXPECT_TRUE(Plan(hook + "units { features: [0, 1] } }", inputs).ok());
}

}  // namespace
}  // namespace hydrophone
