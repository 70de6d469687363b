#include "client/cpp/cli/metric_grammar.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<v1::TokenizeResponse> NoTokenizer(const v1::TokenizeRequest&) {
  return absl::UnavailableError("nobody there");
}

std::string Error(const std::string& text) { return std::string(ParseMetric(text, NoTokenizer).status().message()); }

TEST(ParseMetric, ALogitDifferenceNamesTwoTokens) {
  const auto metric = ParseMetric("logit-diff(6342,10598)", NoTokenizer);
  ASSERT_TRUE(metric.ok()) << metric.status();
  EXPECT_EQ(metric->key(), "logit-diff(6342,10598)");
  EXPECT_EQ(metric->logit_diff().correct(), 6342u);
  EXPECT_EQ(metric->logit_diff().wrong(), 10598u);
  EXPECT_FALSE(metric->has_positions()) << "the server's: the last";
}

TEST(ParseMetric, LossAndDivergence) {
  EXPECT_TRUE(ParseMetric("loss", NoTokenizer)->has_next_token_loss());
  EXPECT_TRUE(ParseMetric("kl", NoTokenizer)->has_divergence());
}

TEST(ParseMetric, PositionsMayFollow) {
  EXPECT_EQ(ParseMetric("loss@-3:", NoTokenizer)->positions().slice(), "-3:");
  EXPECT_THAT(ParseMetric("logit-diff(1,2)@0,1", NoTokenizer)->positions().at(), ElementsAre(0, 1));
}

TEST(ParseMetric, AnAtSignInATokenIsNoPosition) {
  const auto tokenizer = [](const v1::TokenizeRequest& request) -> absl::StatusOr<v1::TokenizeResponse> {
    EXPECT_EQ(request.inputs(0).text(), "@");
    v1::TokenizeResponse response;
    response.add_inputs()->add_token_ids(31);
    return response;
  };
  EXPECT_EQ(ParseMetric("logit-diff(@,2)", tokenizer)->logit_diff().correct(), 31u);
}

TEST(ParseMetric, RefusalsNameTheMetric) {
  EXPECT_THAT(Error("accuracy"), HasSubstr("--metric \"accuracy\": expected logit-diff(TOKEN,TOKEN), loss or kl"));
  EXPECT_THAT(Error("logit-diff(1)"), HasSubstr("got 1 tokens, expected two"));
  EXPECT_THAT(Error("logit-diff(1,2"), HasSubstr("expected logit-diff(TOKEN,TOKEN)"));
  EXPECT_THAT(Error("loss@middle"), HasSubstr("--metric \"loss@middle\": positions: got \"middle\""));
}

TEST(ParseMetric, TheTokenizersFailureIsTold) {
  EXPECT_TRUE(absl::IsUnavailable(ParseMetric("logit-diff(a,b)", NoTokenizer).status()));
}

}  // namespace
}  // namespace hydrophone::client
