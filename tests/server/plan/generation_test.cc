#include "server/plan/generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "server/plan/inputs/extract_call.h"
#include "tests/fakes/byte_tokenizer.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint32_t kEnd = ByteTokenizer::kBos;

// What the capture of a step gives: id, logit, log probability and rank of each sequence's likeliest token.
std::vector<float> Likeliest(const std::vector<uint32_t>& ids) {
  std::vector<float> values;
  for (uint32_t id : ids) values.insert(values.end(), {static_cast<float>(id), 1.0f, -0.5f, 0.0f});
  return values;
}

class GenerationTest : public ::testing::Test {
 protected:
  absl::StatusOr<ExtractCall> Plan(const std::string& text) {
    return PlanExtract(Parse<v1::ExtractRequest>(text), "sha", server_.context());
  }

  GreedyContinuation Begin(const std::string& text) {
    absl::StatusOr<ExtractCall> call = Plan(text);
    EXPECT_TRUE(call.ok()) << call.status();
    return GreedyContinuation(*call, server_.context());
  }

  FakeServer server_;  // a context of 12 tokens
};

using GreedyContinuationTest = GenerationTest;
using PlanExtractWithNewTokens = GenerationTest;
using PlanContinuedTest = GenerationTest;

TEST_F(GreedyContinuationTest, AStepAsksForTheLikeliestTokenAtTheEndOfEachSequence) {
  const hydrophone::Plan step = Begin("texts: ['abc', 'de'] hook_points: 'hook_embed' max_new_tokens: 4").NextStep();
  EXPECT_THAT(step.runs, SizeIs(2));
  EXPECT_THAT(step.runs[1].token_ids, ElementsAre('d', 'e'));
  EXPECT_THAT(step.first_token, ElementsAre(0, 3, 5));
  ASSERT_THAT(step.captures, SizeIs(1));
  EXPECT_EQ(step.captures[0].point, (HookPoint{Site::kLogits, -1}));
  EXPECT_THAT(step.captures[0].rows, ElementsAre(2, 4));
  EXPECT_EQ(step.captures[0].readout->top_k, 1u);
  EXPECT_EQ(step.captures[0].Elements(), 8);
  EXPECT_EQ(step.capture_bytes, 32u);
}

TEST_F(GreedyContinuationTest, TheMostTokensAreThoseOfAllStepsThatAreLeft) {
  // Steps of 3 + 2, 4 + 3, 5 + 4 and 6 + 5 tokens.
  GreedyContinuation greedy = Begin("texts: ['abc', 'de'] hook_points: 'hook_embed' max_new_tokens: 4");
  EXPECT_EQ(greedy.MostTokens(), 5u + 7u + 9u + 11u);
  ASSERT_TRUE(greedy.Take(Likeliest({'x', 'y'})).ok());
  EXPECT_EQ(greedy.MostTokens(), 7u + 9u + 11u);
}

TEST_F(GreedyContinuationTest, TheNextStepHasTheNewTokens) {
  GreedyContinuation greedy = Begin("texts: 'ab' hook_points: 'hook_embed' max_new_tokens: 2");
  ASSERT_TRUE(greedy.Take(Likeliest({'x'})).ok());
  EXPECT_FALSE(greedy.done());
  EXPECT_THAT(greedy.NextStep().runs[0].token_ids, ElementsAre('a', 'b', 'x'));
}

TEST_F(GreedyContinuationTest, EndsAfterTheLastNewToken) {
  GreedyContinuation greedy = Begin("texts: 'ab' hook_points: 'hook_embed' max_new_tokens: 2");
  ASSERT_TRUE(greedy.Take(Likeliest({'x'})).ok());
  ASSERT_TRUE(greedy.Take(Likeliest({'y'})).ok());
  EXPECT_TRUE(greedy.done());
  EXPECT_THAT(greedy.continuations(), ElementsAre(ElementsAre('x', 'y')));
}

TEST_F(GreedyContinuationTest, ASequenceEndsAtTheEndOfTextWhichStaysInIt) {
  GreedyContinuation greedy = Begin("texts: ['a', 'b'] hook_points: 'hook_embed' max_new_tokens: 3");
  ASSERT_TRUE(greedy.Take(Likeliest({kEnd, 'x'})).ok());
  EXPECT_THAT(greedy.NextStep().runs, SizeIs(1));
  ASSERT_TRUE(greedy.Take(Likeliest({kEnd})).ok());
  EXPECT_TRUE(greedy.done());
  EXPECT_THAT(greedy.continuations(), ElementsAre(ElementsAre(kEnd), ElementsAre('x', kEnd)));
}

TEST_F(GreedyContinuationTest, AnyOfTheModelsEndsEndsIt) {
  server_.model.eos_token_ids = {'y', 'z'};
  GreedyContinuation greedy = Begin("texts: ['a', 'b'] hook_points: 'hook_embed' max_new_tokens: 3");
  ASSERT_TRUE(greedy.Take(Likeliest({kEnd, 'z'})).ok());
  ASSERT_TRUE(greedy.Take(Likeliest({'y'})).ok());
  EXPECT_TRUE(greedy.done());
  EXPECT_THAT(greedy.continuations(), ElementsAre(ElementsAre(kEnd, 'y'), ElementsAre('z')));
}

TEST_F(GreedyContinuationTest, AnInputOfSeveralRunsContinuesOnceAndOneOfNoneNotAtAll) {
  GreedyContinuation greedy =
      Begin("texts: ['a', 'b'] runs { input: 1 } runs { input: 1 } hook_points: 'hook_embed' max_new_tokens: 1");
  EXPECT_THAT(greedy.NextStep().runs, SizeIs(1));
  ASSERT_TRUE(greedy.Take(Likeliest({'x'})).ok());
  EXPECT_THAT(greedy.continuations(), ElementsAre(IsEmpty(), ElementsAre('x')));
}

TEST_F(GreedyContinuationTest, SkippedInputsDoNotContinue) {
  GreedyContinuation greedy =
      Begin("texts: ['', 'b'] skip_bad_inputs: true hook_points: 'hook_embed' max_new_tokens: 1");
  ASSERT_TRUE(greedy.Take(Likeliest({'x'})).ok());
  EXPECT_THAT(greedy.continuations(), ElementsAre(IsEmpty(), ElementsAre('x')));
}

TEST_F(GreedyContinuationTest, RefusesNumbersThatAreNoTokens) {
  for (const std::vector<float>& values : {Likeliest({257}), Likeliest({1, 2}), {NAN, 0, 0, 0}, {-1, 0, 0, 0}}) {
    GreedyContinuation greedy = Begin("texts: 'a' hook_points: 'hook_embed' max_new_tokens: 1");
    EXPECT_EQ(greedy.Take(values).code(), absl::StatusCode::kInternal);
  }
}

TEST_F(PlanExtractWithNewTokens, CountsTheLongestContinuations) {
  absl::StatusOr<ExtractCall> call = Plan("texts: ['abc', 'd'] hook_points: 'hook_embed' max_new_tokens: 5");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->max_new_tokens, 5u);
  EXPECT_EQ(call->plan.tokens(), 14);
  EXPECT_EQ(call->data_bytes, 14u * 8 * 4);
  EXPECT_THAT(call->inputs[0].token_ids, ElementsAre('a', 'b', 'c'));
}

TEST_F(PlanExtractWithNewTokens, RefusesPromptsThatLeaveNoRoomInTheContext) {
  EXPECT_THAT(Lines(Plan("texts: ['abcdefgh', 'a'] hook_points: 'hook_embed' max_new_tokens: 5").status()),
              ElementsAre("texts[0]: got 8 tokens and max_new_tokens 5, expected at most 12 together, the model's "
                          "context; truncate keeps the first 7"));
}

TEST_F(PlanExtractWithNewTokens, TruncateLeavesRoomForThem) {
  absl::StatusOr<ExtractCall> call =
      Plan("inputs { text: 'abcdefgh' truncate: true } hook_points: 'hook_embed' max_new_tokens: 5");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->inputs[0].token_ids.size(), 7u);
  EXPECT_EQ(call->inputs[0].truncated_tokens, 1u);
}

TEST_F(PlanExtractWithNewTokens, SkipsPromptsThatLeaveNoRoomWhereBadInputsAreSkipped) {
  absl::StatusOr<ExtractCall> call =
      Plan("texts: ['abcdefgh', 'a'] skip_bad_inputs: true hook_points: 'hook_embed' max_new_tokens: 5");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_THAT(call->inputs[0].skipped, HasSubstr("max_new_tokens 5"));
}

TEST_F(PlanExtractWithNewTokens, RefusesAsManyAsTheContextIsLong) {
  EXPECT_THAT(Lines(Plan("texts: 'a' hook_points: 'hook_embed' max_new_tokens: 12").status()),
              ElementsAre("max_new_tokens: got 12, expected at most 11: a context of 12 less a token to continue"));
  EXPECT_THAT(Lines(Plan("texts: 'a' hook_points: 'hook_embed' max_new_tokens: 4294967295").status()), SizeIs(1));
}

TEST_F(PlanExtractWithNewTokens, RefusesThemBesideEditsAndASeed) {
  EXPECT_THAT(Lines(Plan(R"(texts: 'a' hook_points: 'hook_embed' max_new_tokens: 1 train_seed: 0
                            runs {} runs { interventions { hook_point: 'hook_embed' positions { at: 0 } zero {} } })")
                        .status()),
              ElementsAre("max_new_tokens: got 1 beside runs[1].interventions, expected clean runs only",
                          "max_new_tokens: got 1 beside train_seed, expected eval mode"));
}

TEST_F(PlanExtractWithNewTokens, TheLimitCountsThem) {
  server_.limits.max_tokens_per_request = 9;
  absl::Status status = Plan("texts: ['ab', 'cd'] hook_points: 'hook_embed' max_new_tokens: 3").status();
  EXPECT_THAT(Lines(status), ElementsAre("inputs: needs 10 tokens, the limit is 9"));
}

TEST_F(PlanContinuedTest, TheContinuationsArePartOfTheInputs) {
  auto request = Parse<v1::ExtractRequest>("texts: ['ab', 'c'] hook_points: 'hook_embed' max_new_tokens: 3");
  absl::StatusOr<ExtractCall> call = PlanContinued(request, "sha", {{'x', kEnd, 'y'}, {'z'}}, server_.context());
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->max_new_tokens, 0u);
  EXPECT_EQ(call->plan.tokens(), 7);
  EXPECT_THAT(call->inputs[0].token_ids, ElementsAre('a', 'b', 'x', kEnd, 'y'));
  EXPECT_THAT(call->inputs[0].byte_offsets, ElementsAre(0, 1, 2, 3, 16));
  EXPECT_THAT(call->plan.runs[1].token_ids, ElementsAre('c', 'z'));
}

TEST_F(PlanContinuedTest, OffsetsGoOnWhereATruncatedInputWasCut) {
  auto request = Parse<v1::ExtractRequest>(
      "inputs { text: '0123456789ab' truncate: true prepend_bos: true } hook_points: 'hook_embed' max_new_tokens: 11");
  absl::StatusOr<ExtractCall> call = PlanContinued(request, "sha", {{'x', 'y'}}, server_.context());
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_THAT(call->inputs[0].token_ids, ElementsAre(kEnd, 'x', 'y'));
  EXPECT_THAT(call->inputs[0].byte_offsets, ElementsAre(0, 0, 1));
}

TEST_F(PlanContinuedTest, PositionsThatNeverCameAreRefused) {
  auto request =
      Parse<v1::ExtractRequest>("texts: 'ab' hooks { hook_point: 'hook_embed' positions { at: 4 } } max_new_tokens: 3");
  EXPECT_TRUE(PlanExtract(request, "sha", server_.context()).ok());
  EXPECT_THAT(Lines(PlanContinued(request, "sha", {{kEnd}}, server_.context()).status()),
              ElementsAre(HasSubstr("hooks[0].positions.at[0]: got 4, ")));
}

}  // namespace
}  // namespace hydrophone
