#include "server/answer/tokenize_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/plan/inputs/tokenize_inputs.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

TEST(DescribeTokens, GivesIdsPiecesAndOffsets) {
  FakeServer server;
  const auto inputs = ReadTokenizeInputs(Parse<v1::TokenizeRequest>("texts: 'a b' inputs { token_ids: 256 key: 'k' }"),
                                         server.context());
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  const v1::TokenizeResponse response = DescribeTokens(*inputs, server.tokenizer);
  EXPECT_THAT(response.inputs(0).token_ids(), ElementsAre('a', ' ', 'b'));
  EXPECT_THAT(response.inputs(0).pieces(), ElementsAre("a", "\xC4\xA0", "b"));
  EXPECT_THAT(response.inputs(0).byte_offsets(), ElementsAre(0, 1, 2));
  EXPECT_THAT(response.inputs(1).pieces(), ElementsAre("<|endoftext|>"));
  EXPECT_EQ(response.inputs(1).key(), "k");
}

TEST(AnswerDetokenize, WithoutATokenizerIsRefused) {
  FakeServer server;
  const NoTokenizer none;
  const RequestContext context{server.model, server.compute, none, server.limits, ""};
  const absl::Status status =
      AnswerDetokenize(Parse<v1::DetokenizeRequest>("sequences { token_ids: 5 }"), context).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "sequences: got token ids to spell, but the model's directory has no tokenizer");
  EXPECT_EQ(ReadTokenizeInputs(Parse<v1::TokenizeRequest>("inputs { token_ids: 5 }"), context).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(DescribeTokens, SaysWhyAnInputWasSkipped) {
  FakeServer server;
  const auto inputs =
      ReadTokenizeInputs(Parse<v1::TokenizeRequest>("texts: '' skip_bad_inputs: true"), server.context());
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  EXPECT_EQ(DescribeTokens(*inputs, server.tokenizer).inputs(0).skipped(), (*inputs)[0].skipped);
}

TEST(AnswerDetokenize, AnIdThatOnlyTheModelHasStandsForNoBytes) {
  FakeServer server;
  server.model.vocab_size = 300;
  const auto response =
      AnswerDetokenize(Parse<v1::DetokenizeRequest>("sequences { token_ids: [65, 299, 66] }"), server.context());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->sequences(0).raw_text(), "AB");
  EXPECT_THAT(
      Lines(AnswerDetokenize(Parse<v1::DetokenizeRequest>("sequences { token_ids: 300 }"), server.context()).status()),
      ElementsAre("sequences[0].token_ids[0]: got 300, expected an id below 300"));
}

TEST(AnswerDetokenize, GivesBytesAndReadableText) {
  FakeServer server;
  auto response =
      AnswerDetokenize(Parse<v1::DetokenizeRequest>(
                           "sequences { token_ids: [240, 159, 65, 255] } sequences {} sequences { token_ids: 256 }"),
                       server.context());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->sequences(0).raw_text(),
            "\xF0\x9F"
            "A\xFF");
  EXPECT_EQ(response->sequences(0).text(),
            "\xEF\xBF\xBD"
            "A\xEF\xBF\xBD");
  EXPECT_EQ(response->sequences(1).raw_text(), "");
  EXPECT_EQ(response->sequences(2).text(), "<|endoftext|>");
}

TEST(AnswerDetokenize, NamesEachIdOutsideTheVocabulary) {
  FakeServer server;
  auto response = AnswerDetokenize(
      Parse<v1::DetokenizeRequest>("sequences { token_ids: 1 } sequences { token_ids: [1, 2, 3, 300] }"),
      server.context());
  EXPECT_THAT(Lines(response.status()), ElementsAre("sequences[1].token_ids[3]: got 300, expected an id below 257"));
}

TEST(AnswerDetokenize, RefusesARequestWithoutSequences) {
  FakeServer server;
  EXPECT_THAT(Lines(AnswerDetokenize({}, server.context()).status()),
              ElementsAre("sequences: got no sequences, expected at least one"));
}

TEST(AnswerDetokenize, BoundsTheNumberOfSequencesAndBytes) {
  FakeServer server;
  server.limits.max_inputs_per_request = 1;
  server.limits.max_request_bytes = 26;
  auto many = Parse<v1::DetokenizeRequest>("sequences {} sequences {}");
  EXPECT_EQ(ReasonOf(AnswerDetokenize(many, server.context()).status()), "TOO_LARGE");
  EXPECT_TRUE(
      AnswerDetokenize(Parse<v1::DetokenizeRequest>("sequences { token_ids: [256, 256] }"), server.context()).ok());
  auto longer = Parse<v1::DetokenizeRequest>("sequences { token_ids: [256, 256, 1] }");
  EXPECT_THAT(Lines(AnswerDetokenize(longer, server.context()).status()),
              ElementsAre("sequences: needs 27 bytes, the limit is 26"));
}

}  // namespace
}  // namespace hydrophone
