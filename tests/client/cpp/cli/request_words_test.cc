#include "client/cpp/cli/request_words.h"

#include "client/cpp/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/fake_service.h"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;

RequestWords Words() {
  RequestWords words = RequestWords::OfCommandLine();
  words.Say("hooks[0]", "--hook hook_z");
  words.Say("hooks[0].layers", "--layers 0,99");
  words.Say("runs[*].interventions[1]", "--edit \"hook_z zero\"");
  words.AddInput("\"Hello\"");
  words.AddInput("inputs.jsonl:3", Rest::kNamed);
  return words;
}

TEST(RequestWords, ThePathsLongestBeginningWithWordsCounts) {
  EXPECT_EQ(Words().Of("hooks[0].layers[1]"), "--layers 0,99");
  EXPECT_EQ(Words().Of("hooks[0].layersome"), "--hook hook_z");
  EXPECT_EQ(Words().Of("hooks[0]"), "--hook hook_z");
  EXPECT_EQ(Words().Of("hooks[1].layers"), "hooks[1].layers") << "nothing was said of it";
}

TEST(RequestWords, AnyRunsEditHasOneName) {
  EXPECT_EQ(Words().Of("runs[17].interventions[1].units.heads[0]"), "--edit \"hook_z zero\"");
}

TEST(RequestWords, InputsAndRunsAreCountedAsTheyAreAdded) {
  RequestWords words = Words();
  EXPECT_EQ(words.Of("inputs[0].text"), "\"Hello\"");
  EXPECT_EQ(words.Of("inputs[1].token_ids[7]"), "inputs.jsonl:3, token_ids[7]");
  EXPECT_EQ(words.Of("inputs[2]"), "inputs[2]");
  EXPECT_EQ(words.Of("runs[1]"), "inputs.jsonl:3") << "each input is a run";
  words.AddRun("clean", 0);
  words.AddRun("edited", 0);
  EXPECT_EQ(words.Of("runs[1].key"), "the edited run of \"Hello\"");
  EXPECT_EQ(words.Of("runs[2]"), "runs[2]");
}

TEST(RequestWords, DescriptionsMentionPathsTermsAndRuns) {
  EXPECT_EQ(Words().Describe("got units beside logit_lens of hooks[0]."),
            "got heads or features beside a logit lens of --hook hook_z.");
  EXPECT_EQ(Words().Describe("got run 0 of one token"), "got the run of \"Hello\" of one token");
  EXPECT_EQ(Words().Describe("got run 9"), "got run 9");
}

TEST(RequestWords, WhatIsQuotedIsLeftAsItIs) {
  EXPECT_EQ(Words().Describe(R"(got "units \" units", units)"), R"(got "units \" units", heads or features)");
}

TEST(RequestWords, AnErrorKeepsItsCodeAndReasonAndTellsEachViolationOnce) {
  const absl::Status status = FromGrpcStatus(
      StatusWithDetails(grpc::StatusCode::INVALID_ARGUMENT, "hooks[0].layers[1]: got 99 (and 2 more)", "BAD_REQUEST",
                        {{"hooks[0].layers[1]", "got 99"}, {"hooks[0].layers[0]", "got 99"}, {"inputs[0]", "x"}}));
  const absl::Status reworded = Words().Reword(status);
  EXPECT_EQ(Describe(reworded), "INVALID_ARGUMENT: --layers 0,99: got 99 (and 1 more) [BAD_REQUEST]\n  \"Hello\": x");
}

TEST(RequestWords, ViolationsThatAllReadAlikeAreOne) {
  const absl::Status status = FromGrpcStatus(
      StatusWithDetails(grpc::StatusCode::INVALID_ARGUMENT, "hooks[0].layers[1]: got 99 (and 1 more)", "BAD_REQUEST",
                        {{"hooks[0].layers[1]", "got 99"}, {"hooks[0].layers[0]", "got 99"}}));
  EXPECT_EQ(Describe(Words().Reword(status)), "INVALID_ARGUMENT: --layers 0,99: got 99 [BAD_REQUEST]");
}

TEST(RequestWords, WithoutWordsThePathsStay) {
  const absl::Status status = FromGrpcStatus(
      StatusWithDetails(grpc::StatusCode::INVALID_ARGUMENT, "hooks[0]: units", "BAD_REQUEST", {{"hooks[0]", "units"}}));
  EXPECT_EQ(Describe(RequestWords().Reword(status)), "INVALID_ARGUMENT: hooks[0]: units [BAD_REQUEST]");
  EXPECT_EQ(Words().Reword(absl::UnavailableError("hooks[0]")).message(), "hooks[0]") << "no violations";
}

TEST(OptionWords, ValuesAreQuotedWhereAShellWouldNeedItAndCutWhenLong) {
  EXPECT_EQ(OptionWords("--layers", "0,99"), "--layers 0,99");
  EXPECT_EQ(OptionWords("--edit", "hook_z zero"), "--edit \"hook_z zero\"");
  EXPECT_EQ(OptionWords("--hook", ""), "--hook \"\"");
  EXPECT_EQ(QuotedWords("a\n\"b\""), R"("a\n\"b\"")");
  EXPECT_EQ(QuotedWords(std::string(59, 'a') + "\u00e9\u00e9"), "\"" + std::string(59, 'a') + "...\"")
      << "cut between characters";
}

}  // namespace
}  // namespace hydrophone::client
