#include "server/plan/inputs/inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hydrophone/v1/tokenize.pb.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Reads the inputs of a TokenizeRequest in text format: it has nothing else.
class ReadInputsTest : public ::testing::Test {
 protected:
  std::vector<PlannedInput> Read(const std::string& text, InputRules rules = {}) {
    auto request = Parse<v1::TokenizeRequest>(text);
    auto inputs = ReadInputs(request.texts(), request.inputs(), rules, server_.context(), &violations_);
    EXPECT_TRUE(inputs.ok()) << inputs.status();
    return inputs.ok() ? *inputs : std::vector<PlannedInput>();
  }

  FakeServer server_;
  Violations violations_;
};

TEST_F(ReadInputsTest, PutsTextsFirst) {
  auto inputs = Read("inputs { text: 'b' key: 'k' } texts: 'a'");
  ASSERT_EQ(inputs.size(), 2u);
  EXPECT_THAT(inputs[0].token_ids, ElementsAre('a'));
  EXPECT_THAT(inputs[1].token_ids, ElementsAre('b'));
  EXPECT_EQ(inputs[1].key, "k");
}

TEST_F(ReadInputsTest, ReadsTextBytesAndIdsAlike) {
  auto inputs = Read("texts: 'hi' inputs { raw_text: 'hi' } inputs { token_ids: [104, 105] }");
  for (const PlannedInput& input : inputs) {
    EXPECT_THAT(input.token_ids, ElementsAre('h', 'i'));
    EXPECT_THAT(input.byte_offsets, ElementsAre(0, 1));
  }
}

TEST_F(ReadInputsTest, CountsOffsetsInBytesForIdsToo) {
  auto inputs = Read("inputs { token_ids: [200, 256, 10, 65] }");
  EXPECT_THAT(inputs[0].byte_offsets, ElementsAre(0, 1, 14, 15));
}

TEST_F(ReadInputsTest, PrependsTheBeginningOfSequenceToken) {
  auto inputs = Read("inputs { text: 'ab' prepend_bos: true } inputs { token_ids: 97 prepend_bos: true }");
  EXPECT_THAT(inputs[0].token_ids, ElementsAre(256, 'a', 'b'));
  EXPECT_THAT(inputs[0].byte_offsets, ElementsAre(0, 0, 1));
  EXPECT_THAT(inputs[1].token_ids, ElementsAre(256, 'a'));
}

TEST_F(ReadInputsTest, PutsTheTokenizersOwnIdsAroundATextAndNotAroundIds) {
  server_.tokenizer.before = {256};
  server_.tokenizer.after = {7};
  auto inputs = Read(
      "texts: 'ab' texts: '' inputs { text: 'ab' prepend_bos: true } inputs { token_ids: 97 } "
      "inputs { token_ids: 97 prepend_bos: true }");
  EXPECT_THAT(inputs[0].token_ids, ElementsAre(256, 'a', 'b', 7));
  EXPECT_THAT(inputs[0].byte_offsets, ElementsAre(0, 0, 1, 2));
  EXPECT_EQ(inputs[0].byte_end, 2u);
  EXPECT_THAT(inputs[1].token_ids, ElementsAre(256, 7));
  EXPECT_THAT(inputs[2].token_ids, ElementsAre(256, 'a', 'b', 7));  // the token once
  EXPECT_THAT(inputs[3].token_ids, ElementsAre('a'));
  EXPECT_THAT(inputs[4].token_ids, ElementsAre(256, 'a'));
  server_.tokenizer.before = {9};
  EXPECT_THAT(Read("inputs { text: 'a' prepend_bos: true }")[0].token_ids, ElementsAre(256, 9, 'a', 7));
}

TEST_F(ReadInputsTest, RefusesPrependBosWhereTheTokenizerHasNoSuchToken) {
  server_.tokenizer.bos = std::nullopt;
  Read("inputs { text: 'a' prepend_bos: true }");
  EXPECT_THAT(Lines(violations_),
              ElementsAre(HasSubstr("inputs[0].prepend_bos: got true, expected false: the model's tokenizer has no")));
}

TEST_F(ReadInputsTest, WithoutATokenizerReadsIdsAndRefusesText) {
  const NoTokenizer none;
  const RequestContext context{server_.model, server_.compute, none, server_.limits, ""};
  const auto read = [&](const std::string& text) {
    auto request = Parse<v1::TokenizeRequest>(text);
    return ReadInputs(request.texts(), request.inputs(), {}, context, &violations_);
  };
  const auto ids = read("inputs { token_ids: [5, 6] }");
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_THAT((*ids)[0].token_ids, ElementsAre(5, 6));
  EXPECT_THAT((*ids)[0].byte_offsets, ElementsAre(0, 0));
  const std::pair<const char*, const char*> refused[] = {
      {"texts: 'a'", "texts[0]: got a text"},
      {"inputs { token_ids: 5 } inputs { text: 'a' }", "inputs[1].text: got a text"},
      {"inputs { raw_text: 'a' }", "inputs[0].raw_text: got a text"},
      {"inputs { token_ids: 5 prepend_bos: true }", "inputs[0].prepend_bos: got true"}};
  for (const auto& [request, message] : refused) {
    const absl::Status status = read(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << request;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    EXPECT_THAT(std::string(status.message()), HasSubstr("no tokenizer; expected "));
  }
}

TEST_F(ReadInputsTest, ReadsSpecialsAsTokensUnlessLiteral) {
  server_.model.n_positions = 20;
  auto inputs = Read("texts: '<|endoftext|>' inputs { text: '<|endoftext|>' literal_specials: true }");
  EXPECT_THAT(inputs[0].token_ids, ElementsAre(256));
  EXPECT_EQ(inputs[1].token_ids.size(), 13u);
}

TEST_F(ReadInputsTest, RefusesInputsWithoutTokensOrWithSeveralKinds) {
  Read("texts: '' inputs { key: 'k' } inputs { text: 'a' token_ids: 1 }");
  EXPECT_THAT(Lines(violations_),
              ElementsAre("texts[0]: got no tokens, expected a text, raw_text or token_ids that is not empty",
                          "inputs[0]: got no tokens, expected a text, raw_text or token_ids that is not empty",
                          "inputs[1]: got more than one of text, raw_text and token_ids, expected exactly one"));
}

TEST_F(ReadInputsTest, AnEmptyTextWithABeginningOfSequenceIsThatToken) {
  auto inputs = Read("inputs { prepend_bos: true } inputs { text: 'a' prepend_bos: true }");
  EXPECT_THAT(Lines(violations_), ElementsAre());
  EXPECT_THAT(inputs[0].token_ids, ElementsAre(256));
  EXPECT_THAT(inputs[0].byte_offsets, ElementsAre(0));
}

TEST_F(ReadInputsTest, AnIdWithoutASpellingIsAnIdOfNoBytes) {
  server_.model.vocab_size = 300;
  auto inputs = Read("inputs { token_ids: [97, 280, 98] }");
  EXPECT_THAT(Lines(violations_), ElementsAre());
  EXPECT_THAT(inputs[0].token_ids, ElementsAre(97, 280, 98));
  EXPECT_THAT(inputs[0].byte_offsets, ElementsAre(0, 1, 1));
}

TEST_F(ReadInputsTest, RefusesARequestWithoutInputs) {
  Read("");
  EXPECT_THAT(Lines(violations_), ElementsAre("inputs: got no inputs, expected at least one in texts or inputs"));
}

TEST_F(ReadInputsTest, NamesEachIdOutsideTheVocabulary) {
  Read("inputs { token_ids: [1, 257, 2, 60000] }");
  EXPECT_THAT(Lines(violations_), ElementsAre("inputs[0].token_ids[1]: got 257, expected an id below 257",
                                              "inputs[0].token_ids[3]: got 60000, expected an id below 257"));
}

TEST_F(ReadInputsTest, RefusesTokensThatTheModelHasNoEmbeddingFor) {
  server_.model.vocab_size = 100;
  Read("texts: 'az' inputs { token_ids: 100 }");
  EXPECT_THAT(Lines(violations_), ElementsAre("texts[0]: got token 122, the model's vocabulary has 100 tokens",
                                              "inputs[0].token_ids[0]: got 100, expected an id below 100"));
}

TEST_F(ReadInputsTest, RefusesLiteralSpecialsBesideIdsAndLongKeys) {
  Read("inputs { token_ids: 1 literal_specials: true key: '" + std::string(257, 'k') + "' }");
  EXPECT_THAT(Lines(violations_),
              ElementsAre("inputs[0].key: got 257 bytes, expected at most 256",
                          "inputs[0].literal_specials: got true beside token_ids, expected it beside text only"));
}

TEST_F(ReadInputsTest, RefusesInputsLongerThanTheContext) {
  Read("texts: '0123456789abc' inputs { text: '0123456789ab' prepend_bos: true }");
  EXPECT_THAT(Lines(violations_), ElementsAre("texts[0]: got 13 tokens, expected at most 12, the "
                                              "model's context; truncate keeps the first 12",
                                              "inputs[0]: got 13 tokens, expected at most 12, the "
                                              "model's context; truncate keeps the first 12"));
}

TEST_F(ReadInputsTest, TruncatesWhenAsked) {
  auto inputs = Read("inputs { text: '0123456789abcd' truncate: true } inputs { text: 'a' truncate: true }");
  EXPECT_EQ(inputs[0].token_ids.size(), 12u);
  EXPECT_EQ(inputs[0].byte_offsets.size(), 12u);
  EXPECT_EQ(inputs[0].truncated_tokens, 2u);
  EXPECT_EQ(inputs[1].truncated_tokens, 0u);
}

TEST_F(ReadInputsTest, DoesNotLimitLengthWhenToldNotTo) {
  auto inputs = Read("texts: '0123456789abcd'", {/*limit_to_context=*/false});
  EXPECT_EQ(inputs[0].token_ids.size(), 14u);
  EXPECT_TRUE(violations_.empty());
}

TEST_F(ReadInputsTest, SkipsBadInputsAndSaysWhy) {
  auto inputs = Read("texts: 'ok' inputs { token_ids: [300, 301] key: 'k' } inputs { text: 'x' }",
                     {/*limit_to_context=*/true, /*skip_bad=*/true});
  EXPECT_TRUE(violations_.empty());
  EXPECT_EQ(inputs[1].skipped, "inputs[0].token_ids[0]: got 300, expected an id below 257 (and 1 more)");
  EXPECT_EQ(inputs[1].key, "k");
  EXPECT_THAT(inputs[1].token_ids, IsEmpty());
  EXPECT_EQ(inputs[2].skipped, "");
}

TEST_F(ReadInputsTest, RefusesMoreInputsThanTheLimit) {
  server_.limits.max_inputs_per_request = 2;
  auto request = Parse<v1::TokenizeRequest>("texts: ['a', 'b'] inputs { text: 'c' }");
  auto inputs = ReadInputs(request.texts(), request.inputs(), {}, server_.context(), &violations_);
  EXPECT_EQ(ReasonOf(inputs.status()), "TOO_LARGE");
  EXPECT_THAT(Lines(inputs.status()), ElementsAre(HasSubstr("3 inputs")));
}

TEST(CheckPreconditions, RefusesAnotherModelOrOtherNumerics) {
  FakeServer server;
  EXPECT_TRUE(CheckPreconditions("", "", server.context()).ok());
  EXPECT_TRUE(CheckPreconditions("fake-gpt2", "fake-numerics", server.context()).ok());
  absl::Status model = CheckPreconditions("gpt2-xl", "", server.context());
  EXPECT_EQ(model.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Lines(model), ElementsAre("model: got \"gpt2-xl\", expected \"fake-gpt2\""));
  EXPECT_THAT(Lines(CheckPreconditions("", "other", server.context())),
              ElementsAre(HasSubstr("numerics: got \"other\"")));
}

}  // namespace
}  // namespace hydrophone
