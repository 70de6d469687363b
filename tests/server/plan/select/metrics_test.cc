#include "server/plan/select/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Requests over the texts "abc" (rows 0 to 2) and "de" (rows 3 and 4); run 2 is "abc" again, with run 0 as baseline
// (rows 5 to 7).
class MetricsTest : public ::testing::Test {
 protected:
  absl::StatusOr<ExtractCall> Plan(const std::string& text) {
    return PlanExtract(Parse<v1::ExtractRequest>("texts: ['abc', 'de'] runs {} runs { input: 1 } "
                                                 "runs { baseline: 0 } " +
                                                 text),
                       "sha", server_.context());
  }
  ExtractCall Planned(const std::string& text) {
    absl::StatusOr<ExtractCall> call = Plan(text);
    EXPECT_TRUE(call.ok()) << call.status();
    return call.ok() ? *call : ExtractCall();
  }
  std::vector<std::string> Refusals(const std::string& text) { return Lines(Plan(text).status()); }

  FakeServer server_;
};

TEST_F(MetricsTest, AreCapturesOfTheLogitsAfterAllHooks) {
  ExtractCall call = Planned("hook_points: 'hook_embed' metrics { key: 'k' logit_diff { correct: 5 wrong: 7 } }");
  ASSERT_EQ(call.plan.captures.size(), 3u);  // hook_embed of runs 0 and 1, a comparison, the metric
  const Capture& capture = call.plan.captures[2];
  EXPECT_EQ(capture.point, (HookPoint{Site::kLogits, -1}));
  EXPECT_EQ(capture.selector, 1u);
  EXPECT_EQ(capture.readout->kind, Readout::Kind::kLogitDiff);
  EXPECT_EQ(capture.readout->correct, 5u);
  EXPECT_EQ(capture.readout->wrong, 7u);
  EXPECT_THAT(capture.row_shape, ElementsAre(1));
  EXPECT_EQ(call.formats[2].form, CaptureFormat::Form::kScores);
  EXPECT_EQ(call.formats[2].metric, "k");
}

TEST_F(MetricsTest, AreEnoughForARequestAndCountATensorForEachRun) {
  ExtractCall call = Planned("metrics { next_token_loss {} }");
  EXPECT_EQ(call.tensors, 3u);
  EXPECT_EQ(call.data_bytes, 0u);
  EXPECT_EQ(call.plan.capture_bytes, 4u * (2 + 1 + 2));
}

TEST_F(MetricsTest, ReadTheLastPositionByDefault) {
  EXPECT_THAT(Planned("metrics { logit_diff { wrong: 1 } }").plan.captures[0].rows, ElementsAre(2, 4, 7));
}

TEST_F(MetricsTest, ALossReadsAllButTheLastPosition) {
  const Capture capture = Planned("metrics { next_token_loss {} }").plan.captures[0];
  EXPECT_THAT(capture.rows, ElementsAre(0, 1, 3, 5, 6));
  EXPECT_THAT(capture.rows_per_run, ElementsAre(2, 1, 2));
}

TEST_F(MetricsTest, ReadThePositionsAndRunsThatTheyName) {
  EXPECT_THAT(Planned("metrics { next_token_loss {} positions { at: 0 } runs: [2, 0] }").plan.captures[0].rows,
              ElementsAre(5, 0));
}

TEST_F(MetricsTest, ADivergenceKnowsTheBaselinesRows) {
  const Capture capture = Planned("metrics { divergence {} runs: 2 positions { at: [1, -1] } }").plan.captures[0];
  EXPECT_THAT(capture.runs, ElementsAre(2));
  EXPECT_EQ(capture.first_row, 6);
  EXPECT_THAT(capture.baseline_rows, ElementsAre(1, 2));
}

TEST_F(MetricsTest, OthersOfARunWithABaselineAreItsOwn) {
  const Capture capture = Planned("metrics { logit_diff { wrong: 1 } runs: 2 }").plan.captures[0];
  EXPECT_THAT(capture.runs, ElementsAre(2));
  EXPECT_TRUE(capture.baseline_rows.empty());
}

TEST_F(MetricsTest, RefusesAMetricOfNoKind) {
  EXPECT_THAT(Refusals("metrics {}"),
              ElementsAre("metrics[0]: got no kind, expected logit_diff, next_token_loss or divergence"));
}

TEST_F(MetricsTest, RefusesTokensOutsideTheVocabularyAndOneTokenTwice) {
  EXPECT_THAT(Refusals("metrics { logit_diff { correct: 257 wrong: 999 } } metrics { logit_diff {} }"),
              ElementsAre("metrics[0].logit_diff.correct: got 257, expected an id below 257",
                          "metrics[0].logit_diff.wrong: got 999, expected an id below 257",
                          "metrics[1].logit_diff: got token 0 as both, expected two different tokens"));
}

TEST_F(MetricsTest, RefusesLongKeysAndBadRunsAndPositions) {
  EXPECT_THAT(Refusals("metrics { next_token_loss {} runs: 3 } metrics { next_token_loss {} positions { at: 3 } "
                       "runs: 0 key: '" +
                       std::string(257, 'k') + "' }"),
              ElementsAre("metrics[0].runs[0]: got 3, expected an index below 3", HasSubstr("metrics[1].key: "),
                          "metrics[1].positions.at[0]: got 3, expected -3 to 2: the run has 3 tokens"));
}

TEST_F(MetricsTest, RefusesTheLastPositionsLoss) {
  EXPECT_THAT(Refusals("metrics { next_token_loss {} positions { at: [0, -1] } runs: [0, 1] }"),
              ElementsAre("metrics[0].positions: got position 2 of run 0, its last, expected positions with a next "
                          "token",
                          "metrics[0].positions: got position 1 of run 1, its last, expected positions with a next "
                          "token"));
}

TEST_F(MetricsTest, RefusesTheLossOfOneToken) {
  auto request = Parse<v1::ExtractRequest>("texts: 'a' metrics { next_token_loss {} }");
  EXPECT_THAT(Lines(PlanExtract(request, "sha", server_.context()).status()),
              ElementsAre("metrics[0].next_token_loss: got run 0 of one token, expected at least two"));
}

TEST_F(MetricsTest, RefusesADivergenceFromNothing) {
  EXPECT_THAT(Refusals("metrics { divergence {} runs: [2, 1] } metrics { divergence {} }"),
              ElementsAre("metrics[0].runs[1]: got run 1, which names no baseline, expected runs that do",
                          "metrics[1].runs: got run 0, which names no baseline, expected runs that do",
                          "metrics[1].runs: got run 1, which names no baseline, expected runs that do"));
}

TEST_F(MetricsTest, RefusesADivergenceOverOtherCounts) {
  auto request = Parse<v1::ExtractRequest>(
      "texts: ['abc', 'de'] runs {} runs { input: 1 baseline: 0 } "
      "metrics { divergence {} runs: 1 positions { slice: ':' } }");
  EXPECT_THAT(Lines(PlanExtract(request, "sha", server_.context()).status()),
              ElementsAre("metrics[0].positions: got 2 positions of run 1 and 3 of its baseline, run 0, expected as "
                          "many"));
}

TEST_F(MetricsTest, RefusesScoresThatDoNotFitIntoAMessage) {
  server_.limits.max_message_bytes = 700;
  EXPECT_TRUE(Plan("metrics { next_token_loss {} }").ok());
  absl::Status status = Plan("metrics { next_token_loss {} key: '" + std::string(200, 'k') + "' }").status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status), ElementsAre(HasSubstr("metrics[0]: needs ")));
}

}  // namespace
}  // namespace hydrophone
