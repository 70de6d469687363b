#include "server/plan/inputs/tokenize_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

TEST(ReadTokenizeInputs, TakesInputsLongerThanTheContext) {
  FakeServer server;
  auto inputs = ReadTokenizeInputs(Parse<v1::TokenizeRequest>("texts: '0123456789abcdef'"), server.context());
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  EXPECT_EQ((*inputs)[0].token_ids.size(), 16u);
}

TEST(ReadTokenizeInputs, NamesBadInputs) {
  FakeServer server;
  auto inputs = ReadTokenizeInputs(Parse<v1::TokenizeRequest>("inputs { token_ids: [0, 257] }"), server.context());
  EXPECT_THAT(Lines(inputs.status()), ElementsAre("inputs[0].token_ids[1]: got 257, expected an id below 257"));
}

TEST(ReadTokenizeInputs, ABadInputMayBeSkipped) {
  FakeServer server;
  auto inputs =
      ReadTokenizeInputs(Parse<v1::TokenizeRequest>("texts: ['', 'ab'] skip_bad_inputs: true"), server.context());
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  EXPECT_EQ((*inputs)[0].skipped, "texts[0]: got no tokens, expected a text, raw_text or token_ids that is not empty");
  EXPECT_EQ((*inputs)[1].token_ids.size(), 2u);
}

TEST(ReadTokenizeInputs, BoundsTheNumberOfTokens) {
  FakeServer server;
  server.limits.max_request_elements = 4;
  auto inputs = ReadTokenizeInputs(Parse<v1::TokenizeRequest>("texts: ['abc', 'de']"), server.context());
  EXPECT_EQ(ReasonOf(inputs.status()), "TOO_LARGE");
  EXPECT_THAT(Lines(inputs.status()), ElementsAre("inputs: needs 5 tokens, the limit is 4"));
}

}  // namespace
}  // namespace hydrophone
