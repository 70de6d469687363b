#include "client/cpp/cli/token_words.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;

// One token a text, its length the id; of "two" there are two.
absl::StatusOr<v1::TokenizeResponse> Lengths(const v1::TokenizeRequest& request) {
  v1::TokenizeResponse response;
  for (const v1::Input& input : request.inputs()) {
    v1::TokenizedInput* tokens = response.add_inputs();
    tokens->add_token_ids(static_cast<uint32_t>(input.text().size()));
    tokens->add_pieces(input.text());
    if (input.text() != "two") continue;
    tokens->add_token_ids(0);
    tokens->add_pieces("more");
  }
  return response;
}

absl::StatusOr<v1::TokenizeResponse> Unreachable(const v1::TokenizeRequest&) {
  return absl::UnavailableError("nobody there");
}

TEST(ParseTokens, TextsKeepTheirSpacesAndNumbersAreIds) {
  EXPECT_THAT(*ParseTokens(" Paris,Rome,6342, 7", Lengths), ElementsAre(6, 4, 6342, 2));
}

TEST(ParseTokens, IdsAloneNeedNoTokenizer) { EXPECT_THAT(*ParseTokens("1,50256", Unreachable), ElementsAre(1, 50256)); }

TEST(ParseTokens, ATextOfSeveralTokensIsRefusedWithTheirPieces) {
  EXPECT_EQ(ParseTokens("one,two", Lengths).status().message(), "\"two\" is 2 tokens (`two` `more`), expected one");
}

TEST(ParseTokens, AnEmptyTokenIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(ParseTokens("a,,b", Lengths).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ParseTokens("", Lengths).status()));
}

TEST(ParseTokens, TheTokenizersFailureIsTold) {
  EXPECT_TRUE(absl::IsUnavailable(ParseTokens("a", Unreachable).status()));
}

TEST(ParseTokens, AnAnswerToSomethingElseIsDataLoss) {
  const auto nothing = [](const v1::TokenizeRequest&) { return v1::TokenizeResponse(); };
  EXPECT_TRUE(absl::IsDataLoss(ParseTokens("a", nothing).status()));
}

}  // namespace
}  // namespace hydrophone::client
