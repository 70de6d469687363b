#include "server/verify/call/verify_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

// Three blocks of width 8; a token a byte.
class PlanVerifyTest : public ::testing::Test {
 protected:
  PlanVerifyTest() { server_.model.n_positions = 100; }

  absl::StatusOr<VerifyCall> Plan(const std::string& text) {
    return PlanVerify(Parse<v1::VerifyRequest>(text), "sha", server_.context());
  }
  VerifyCall MustPlan(const std::string& text) {
    absl::StatusOr<VerifyCall> call = Plan(text);
    EXPECT_TRUE(call.ok()) << call.status();
    return call.ok() ? *std::move(call) : VerifyCall{};
  }

  FakeServer server_;
};

std::set<std::string> PointsOf(const ExtractCall& call) {
  std::set<std::string> names;
  for (const Capture& capture : call.plan.captures) names.insert(CanonicalName(capture.point));
  return names;
}

uint64_t PlannedBytes(const VerifyCall& call) {
  uint64_t bytes = 0;
  for (const ExtractCall& extract : call.extracts) bytes += extract.plan.capture_bytes;
  return bytes;
}

TEST_F(PlanVerifyTest, WithoutInputsTakesTheLessonsSentence) {
  VerifyCall call = MustPlan("");
  ASSERT_THAT(call.inputs, SizeIs(1));
  std::string text;
  for (uint32_t id : call.inputs[0].token_ids) text += static_cast<char>(id);
  EXPECT_EQ(text, "Plants make fantastic pets because they don't leave a mess after you feed them.");
}

TEST_F(PlanVerifyTest, WithoutATokenizerTheSentenceIsRefusedAndIdsAreNot) {
  const NoTokenizer none;
  const RequestContext context{server_.model, server_.compute, none, server_.limits, ""};
  const absl::Status refused = PlanVerify(v1::VerifyRequest(), "sha", context).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused.message(),
            "inputs: got no inputs, which stands for a sentence, but the model's directory has no tokenizer; "
            "expected inputs with token_ids");
  EXPECT_TRUE(PlanVerify(Parse<v1::VerifyRequest>("inputs { token_ids: [5, 6] }"), "sha", context).ok());
}

TEST_F(PlanVerifyTest, CutsTheLessonsSentenceForAShortContext) {
  server_.model.n_positions = 10;
  EXPECT_THAT(MustPlan("").inputs[0].token_ids, SizeIs(10));
}

TEST_F(PlanVerifyTest, MeasuresEverythingByDefault) {
  VerifyOptions options = MustPlan("texts: 'ab'").options;
  EXPECT_THAT(options.layers, ElementsAre(0, 1, 2));
  EXPECT_EQ(options.mask.kind, MaskRule::Kind::kMaxAbs);
  EXPECT_EQ(options.mask.value, 30);
  EXPECT_TRUE(options.reference);
  EXPECT_FALSE(options.keep_residuals);
  EXPECT_EQ(options.max_reference_tokens, 2);  // there are no more
}

TEST_F(PlanVerifyTest, ReadsEveryOption) {
  VerifyOptions options = MustPlan(
                              "texts: 'ab' layers: [-1, 0, 2] mask { quantile: 0.75 } "
                              "include_residuals: true skip_reference: true")
                              .options;
  EXPECT_THAT(options.layers, ElementsAre(0, 2));  // in order, each once
  EXPECT_EQ(options.mask.kind, MaskRule::Kind::kQuantile);
  EXPECT_EQ(options.mask.value, 0.75);
  EXPECT_FALSE(options.reference);
  EXPECT_TRUE(options.keep_residuals);
  EXPECT_EQ(MustPlan("mask { max_abs: 0 }").options.mask.value, 0);
}

TEST_F(PlanVerifyTest, StatesBlocksAndTheFirstInputAloneArePassesOfTheirOwn) {
  VerifyCall call = MustPlan("texts: ['abc', 'de']");
  const auto& states = call.extracts[VerifyCall::kStates].plan;
  ASSERT_THAT(states.runs, SizeIs(2));
  EXPECT_THAT(states.runs[0].token_ids, ElementsAre('a', 'b', 'c'));
  EXPECT_THAT(PointsOf(call.extracts[VerifyCall::kStates]),
              ElementsAre("hidden_states.0", "hidden_states.1", "hidden_states.2", "hidden_states.3"));

  const auto& alone = call.extracts[VerifyCall::kAlone].plan;
  ASSERT_THAT(alone.runs, SizeIs(1));
  EXPECT_THAT(alone.runs[0].token_ids, ElementsAre('a', 'b', 'c'));
  EXPECT_THAT(alone.captures, SizeIs(4 + 2 * 3));
}

TEST_F(PlanVerifyTest, BlocksAreNeverComputedByThemselves) {
  const VerifyCall call = MustPlan("texts: ['abc', 'de']");
  const auto& blocks = call.extracts[VerifyCall::kBlocks].plan;
  ASSERT_THAT(blocks.runs, SizeIs(3));
  EXPECT_THAT(blocks.runs[0].token_ids, ElementsAre('c', 'b', 'a'));  // the neighbour
  EXPECT_THAT(blocks.runs[1].token_ids, ElementsAre('a', 'b', 'c'));
  EXPECT_THAT(blocks.runs[2].token_ids, ElementsAre('d', 'e'));
  for (const Capture& capture : blocks.captures) {
    EXPECT_EQ(capture.first_row, 3) << "the neighbour's rows were asked for";
    EXPECT_EQ(capture.row_count, 5);
  }
}

TEST_F(PlanVerifyTest, TheNeighbourIsShort) {
  VerifyCall call = MustPlan("texts: 'abcdefghijklmnopqrstuvwxyz'");
  EXPECT_THAT(call.extracts[VerifyCall::kBlocks].plan.runs[0].token_ids, SizeIs(16));
}

TEST_F(PlanVerifyTest, CapturesForTheReferenceOnlyWhatItIsAskedToCompare) {
  const auto captured = [&](const std::string& request) {
    return PointsOf(MustPlan(request).extracts[VerifyCall::kReference]);
  };
  const std::set<std::string> all = captured("texts: 'ab'"), one = captured("texts: 'ab' layers: 1");
  EXPECT_THAT(all, IsSupersetOf({"logits", "blocks.0.attn.hook_q", "blocks.2.mlp.hook_post"}));
  EXPECT_THAT(one, IsSupersetOf({"logits", "blocks.1.attn.hook_q"}));
  EXPECT_EQ(one.count("blocks.0.attn.hook_q"), 0u);
  EXPECT_EQ(all.count("blocks.1.hook_attn_out"), 0u) << "the blocks' own pass has it";
  EXPECT_THAT(MustPlan("texts: 'ab'").extracts[VerifyCall::kBlocks].plan.captures, SizeIs(3 * 3 + 1));
  EXPECT_THAT(MustPlan("texts: 'ab' skip_reference: true").extracts, SizeIs(3));
}

TEST_F(PlanVerifyTest, TheReferenceReadsTheBeginningsOfTheInputs) {
  server_.limits.max_reference_tokens = 4;
  const VerifyCall call = MustPlan("texts: ['abc', 'de', 'f']");
  const auto& runs = call.extracts[VerifyCall::kReference].plan.runs;
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_THAT(runs[0].token_ids, ElementsAre('a', 'b', 'c'));
  EXPECT_THAT(runs[1].token_ids, ElementsAre('d'));
}

TEST_F(PlanVerifyTest, WithoutTokensForTheReferenceThereIsNone) {
  server_.limits.max_reference_tokens = 0;
  EXPECT_FALSE(MustPlan("texts: 'ab'").options.reference);
}

TEST_F(PlanVerifyTest, NamesEveryViolationAtOnce) {
  absl::Status status = Plan(R"(texts: 'ok' inputs { token_ids: 999 } layers: [0, 3, -4]
                                mask { quantile: 0 })")
                            .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Lines(status), ElementsAre("layers[1]: got 3, expected -3 to 2", "layers[2]: got -4, expected -3 to 2",
                                         "mask.quantile: got 0, expected more than 0 and at most 1",
                                         HasSubstr("inputs[0].token_ids[0]: ")));
}

TEST_F(PlanVerifyTest, RefusesMasksThatSayNothing) {
  EXPECT_THAT(Lines(Plan("mask {}").status()), ElementsAre(HasSubstr("mask: got neither")));
  for (const char* mask : {"max_abs: -1", "max_abs: nan", "max_abs: inf"}) {
    EXPECT_THAT(Lines(Plan(std::string("mask { ") + mask + " }").status()),
                ElementsAre(AllOf(HasSubstr("mask.max_abs: got"), HasSubstr("expected a finite number, 0 or more"))))
        << mask;
  }
  for (const char* mask : {"quantile: 1.5", "quantile: nan", "quantile: -0.5"}) {
    EXPECT_THAT(Lines(Plan(std::string("mask { ") + mask + " }").status()),
                ElementsAre(HasSubstr("mask.quantile: got")))
        << mask;
  }
}

TEST_F(PlanVerifyTest, InTrainModeAllExtractsHaveTheSeed) {
  absl::StatusOr<VerifyCall> call = Plan("train_seed: 7");
  ASSERT_TRUE(call.ok()) << call.status();
  for (const ExtractCall& extract : call->extracts) EXPECT_EQ(extract.plan.runs[0].train_seed, 7u);
  EXPECT_TRUE(call->options.train);
}

TEST_F(PlanVerifyTest, InTrainModeThereIsNoReference) { EXPECT_FALSE(Plan("train_seed: 7")->options.reference); }

TEST_F(PlanVerifyTest, WithoutASeedItIsEvalMode) {
  absl::StatusOr<VerifyCall> call = Plan("");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_FALSE(call->options.train);
  EXPECT_EQ(call->extracts[0].plan.runs[0].train_seed, std::nullopt);
}

TEST_F(PlanVerifyTest, HoldsToThePreconditions) {
  EXPECT_EQ(Plan("model: 'other'").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Plan("numerics: 'other'").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Plan("model: 'fake-gpt2'").ok());
}

TEST_F(PlanVerifyTest, AllPassesTogetherFitTheTokenLimit) {
  // 5 of the states, 3 + 5 of the blocks, 3 alone.
  const char* request = "texts: ['abc', 'de'] skip_reference: true";
  server_.limits.max_tokens_per_request = 16;
  EXPECT_TRUE(Plan(request).ok());
  server_.limits.max_tokens_per_request = 15;
  absl::Status status = Plan(request).status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status), ElementsAre("inputs: needs 16 tokens (states of 5, blocks of 5 and 3 beside them, the "
                                         "first input's 3 alone), the limit is 15"));
}

TEST_F(PlanVerifyTest, TheReferenceTakesTheTokensThatAreLeft) {
  server_.limits.max_tokens_per_request = 18;
  EXPECT_EQ(MustPlan("texts: ['abc', 'de']").options.max_reference_tokens, 2u);
  server_.limits.max_tokens_per_request = 16;
  absl::Status status = Plan("texts: ['abc', 'de']").status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status), ElementsAre("inputs: needs 17 tokens for the reference to run on one token; "
                                         "skip_reference needs less, the limit is 16"));
}

TEST_F(PlanVerifyTest, AllCapturesTogetherFitTheByteLimit) {
  const uint64_t needed = (4 * 5 + (3 * 3 + 1) * 5 + (4 + 2 * 3) * 3) * 8 * sizeof(float);
  const char* request = "texts: ['abc', 'de'] skip_reference: true";
  server_.limits.max_response_bytes = needed;
  EXPECT_EQ(PlannedBytes(MustPlan(request)), needed);
  server_.limits.max_response_bytes = needed - 1;
  absl::Status status = Plan(request).status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status), ElementsAre(HasSubstr(std::to_string(needed))));
}

TEST_F(PlanVerifyTest, TheReferenceTakesAsManyTokensAsTheByteLimitLeavesRoomFor) {
  const char* request = "texts: ['abc', 'de']";
  std::vector<uint64_t> needed;  // by 1 to 5 tokens
  for (uint32_t tokens = 1; tokens <= 5; ++tokens) {
    server_.limits.max_reference_tokens = tokens;
    needed.push_back(PlannedBytes(MustPlan(request)));
  }
  server_.limits.max_reference_tokens = 64;
  for (uint32_t tokens = 1; tokens <= 5; ++tokens) {
    server_.limits.max_response_bytes = needed[tokens - 1];
    EXPECT_EQ(MustPlan(request).options.max_reference_tokens, tokens);
    EXPECT_EQ(PlannedBytes(MustPlan(request)), needed[tokens - 1]);
    if (tokens == 1) continue;
    --server_.limits.max_response_bytes;
    EXPECT_EQ(MustPlan(request).options.max_reference_tokens, tokens - 1);
  }
  server_.limits.max_response_bytes = needed[0] - 1;
  absl::Status status = Plan(request).status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status), ElementsAre(AllOf(HasSubstr(std::to_string(needed[0])), HasSubstr("skip_reference"))));
}

TEST_F(PlanVerifyTest, ResidualsFitOneMessage) {
  server_.model.n_embd = 8192;  // 32 KiB a token, four tensors: 24 tokens are 3 MiB
  EXPECT_TRUE(Plan("inputs { text: 'abcdefghijklmnopqrstuvwx' } include_residuals: true").ok());
  absl::Status status = Plan("inputs { text: 'abcdefghijklmnopqrstuvwxy' } include_residuals: true").status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status), ElementsAre(HasSubstr("include_residuals: needs 3276800 bytes")));
}

TEST_F(PlanVerifyTest, AsManyInputsAsARequestMayHave) {
  server_.limits.max_inputs_per_request = 2;
  server_.limits.max_hooks_per_request = 1;
  server_.limits.max_tensors_per_request = 1;
  EXPECT_TRUE(Plan("texts: ['a', 'b']").ok());  // the neighbour and the points are not the caller's
  EXPECT_THAT(Lines(Plan("texts: ['a', 'b', 'c']").status()), ElementsAre(HasSubstr("inputs: ")));
}

}  // namespace
}  // namespace hydrophone
