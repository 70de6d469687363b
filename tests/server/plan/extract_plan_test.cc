#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/plan/inputs/extract_call.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PlanExtractTest : public ::testing::Test {
 protected:
  absl::StatusOr<ExtractCall> Plan(const std::string& text) {
    return PlanExtract(Parse<v1::ExtractRequest>(text), "sha", server_.context());
  }

  FakeServer server_;
};

TEST_F(PlanExtractTest, PlansRunsAndCaptures) {
  absl::StatusOr<ExtractCall> call =
      Plan("texts: 'abc' hook_points: 'attn.c_proj' layout: LAYOUT_ROWS validate_only: true");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->plan.runs.size(), 1u);
  EXPECT_EQ(call->plan.tokens(), 3);
  EXPECT_EQ(call->plan.captures.size(), 3u);
  EXPECT_EQ(call->formats.size(), 3u);
  EXPECT_EQ(call->inputs.size(), 1u);
  EXPECT_THAT(call->run_numbers, ElementsAre(0));
  EXPECT_EQ(call->layout, v1::LAYOUT_ROWS);
  EXPECT_TRUE(call->validate_only);
  EXPECT_EQ(call->request_sha256, "sha");
}

TEST_F(PlanExtractTest, NamesViolationsOfAllKindsAtOnce) {
  absl::Status status = Plan(R"(
      texts: '' inputs { token_ids: 999 } inputs { text: 'abc' }
      runs { input: 9 }
      hook_points: 'attn.c_prj'
      hooks { hook_point: 'hook_embed' positions { slice: 'x' } })")
                            .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "BAD_REQUEST");
  EXPECT_THAT(Lines(status),
              ElementsAre(HasSubstr("texts[0]: "), HasSubstr("inputs[0].token_ids[0]: "), HasSubstr("runs[0].input: "),
                          HasSubstr("hook_points[0]: "), HasSubstr("hooks[0].positions.slice: ")));
}

TEST_F(PlanExtractTest, AnEmptyRequestLacksInputsAndHooks) {
  EXPECT_THAT(Lines(Plan("").status()), ElementsAre(HasSubstr("inputs: "), HasSubstr("hooks: ")));
}

TEST_F(PlanExtractTest, SkipsBadInputsAndKeepsTheOthersNumbers) {
  absl::StatusOr<ExtractCall> call = Plan(
      "texts: ['ab', '', 'cde'] skip_bad_inputs: true hooks { hook_point: 'hook_embed' runs: [2, "
      "1] }");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->plan.runs.size(), 2u);
  EXPECT_THAT(call->run_numbers, ElementsAre(0, 2));
  EXPECT_THAT(call->plan.captures[0].runs, ElementsAre(1));
  EXPECT_EQ(call->plan.captures[0].first_row, 2);
  EXPECT_EQ(call->tensors, 1u);
  EXPECT_THAT(call->inputs[1].skipped, HasSubstr("texts[1]: "));
}

TEST_F(PlanExtractTest, NothingIsCapturedWhenAllInputsAreSkipped) {
  absl::StatusOr<ExtractCall> call = Plan("texts: ['', ''] skip_bad_inputs: true hook_points: 'hook_embed'");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_THAT(call->plan.runs, IsEmpty());
  EXPECT_THAT(call->plan.captures, IsEmpty());
  EXPECT_EQ(call->tensors, 0u);
  EXPECT_EQ(call->plan.tokens(), 0);
}

TEST_F(PlanExtractTest, RequestErrorsRefuseEvenWhenBadInputsAreSkipped) {
  absl::Status status = Plan("texts: ['ab', ''] skip_bad_inputs: true hook_points: 'nonsense'").status();
  EXPECT_THAT(Lines(status), ElementsAre(HasSubstr("hook_points[0]: ")));
}

TEST_F(PlanExtractTest, RunsMayRepeatAnInput) {
  absl::StatusOr<ExtractCall> call = Plan("texts: 'ab' runs {} runs {} hook_points: 'hook_embed'");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->plan.tokens(), 4);
  EXPECT_THAT(call->plan.captures[0].rows_per_run, ElementsAre(2, 2));
}

TEST_F(PlanExtractTest, PreconditionsComeFirst) {
  EXPECT_EQ(Plan("model: 'other'").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Plan("numerics: 'other'").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(PlanExtractTest, PlansEditsAndTheOrderOfTheirRuns) {
  absl::StatusOr<ExtractCall> call = Plan(R"(
      texts: 'ab' hook_points: 'hook_embed'
      runs { interventions { hook_point: 'hook_embed' positions { slice: ':' } patch { run: 1 } } } runs {})");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->plan.edits.size(), 1u);
  EXPECT_THAT(call->plan.run_order, ElementsAre(1, 0));
}

TEST_F(PlanExtractTest, ARunsOwnSeedGoesBeforeTheRequests) {
  auto call = Plan("texts: 'a' hook_points: 'hook_embed' train_seed: 3 runs { train_seed: 4 } runs {}");
  EXPECT_EQ(call->plan.runs[0].train_seed, 4u);
  EXPECT_EQ(call->plan.runs[1].train_seed, 3u);
  call = Plan("texts: 'a' hook_points: 'hook_embed' runs { train_seed: 0 } runs {}");
  EXPECT_EQ(call->plan.runs[0].train_seed, 0u);
  EXPECT_EQ(call->plan.runs[1].train_seed, std::nullopt);
}

TEST_F(PlanExtractTest, ASeedMeansTrainMode) {
  EXPECT_EQ(Plan("texts: 'a' hook_points: 'hook_embed' train_seed: 0")->plan.runs[0].train_seed, 0u);
  EXPECT_EQ(Plan("texts: 'a' hook_points: 'hook_embed'")->plan.runs[0].train_seed, std::nullopt);
}

TEST_F(PlanExtractTest, ABadEditIsOneOfTheViolations) {
  absl::Status status = Plan("texts: 'a' hook_points: 'nonsense' runs { interventions {} }").status();
  EXPECT_THAT(Lines(status),
              ElementsAre(HasSubstr("runs[0].interventions[0].hook_point: "),
                          HasSubstr("runs[0].interventions[0].positions: "), HasSubstr("hook_points[0]: ")));
}

TEST_F(PlanExtractTest, RefusesMoreTokensThanTheLimit) {
  server_.limits.max_tokens_per_request = 3;
  EXPECT_EQ(ReasonOf(Plan("texts: ['ab', 'cd'] hook_points: 'hook_embed'").status()), "TOO_LARGE");
}

}  // namespace
}  // namespace hydrophone
