#include "server/plan/select/transforms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Reads one selector with the body `text` at the point `name`.
class ReadTransformsTest : public ::testing::Test {
 protected:
  Selector Read(const std::string& text, const std::string& name = "hook_resid_mid", const std::string& request = "") {
    request_ = Parse<v1::ExtractRequest>(absl::StrCat(request, " hooks { hook_point: '", name, "' ", text, " }"));
    auto selectors = ReadSelectors(request_, /*runs=*/2, server_.context(), &violations_);
    EXPECT_TRUE(selectors.ok()) << selectors.status();
    return selectors->at(0);
  }
  std::vector<std::string> Refusals() { return Lines(violations_); }

  FakeServer server_;
  Violations violations_;
  v1::ExtractRequest request_;
};

constexpr char kLens[] = "logit_lens { top_k: 2 } ";

TEST_F(ReadTransformsTest, ReadsReductions) {
  EXPECT_EQ(Read("").reduction, Reduction::kNone);
  EXPECT_EQ(Read("reduction: REDUCTION_MEAN").reduction, Reduction::kMean);
  EXPECT_EQ(Read("reduction: REDUCTION_MAX").reduction, Reduction::kMax);
}

TEST_F(ReadTransformsTest, TakesTheRequestsTypeUnlessItHasItsOwn) {
  EXPECT_EQ(Read("").dtype, v1::DTYPE_FLOAT32);
  EXPECT_EQ(Read("", "hook_embed", "dtype: DTYPE_BFLOAT16").dtype, v1::DTYPE_BFLOAT16);
  EXPECT_EQ(Read("dtype: DTYPE_FLOAT16", "hook_embed", "dtype: DTYPE_BFLOAT16").dtype, v1::DTYPE_FLOAT16);
  EXPECT_EQ(Read("", "hook_embed", "dtype: DTYPE_BFLOAT16 view: VIEW_SUMMARY").view, v1::VIEW_SUMMARY);
  EXPECT_TRUE(violations_.empty());
}

TEST_F(ReadTransformsTest, RefusesATypeOfElementsThatAreNotSentAsBytes) {
  Read("dtype: DTYPE_FLOAT16 view: VIEW_SUMMARY");
  Read("dtype: DTYPE_BFLOAT16", "hook_embed", "view: VIEW_FLOATS");
  Read(absl::StrCat(kLens, "dtype: DTYPE_FLOAT16"));
  EXPECT_THAT(Refusals(),
              ElementsAre("hooks[0].dtype: got DTYPE_FLOAT16 with VIEW_SUMMARY, expected none: it is the type of "
                          "elements sent as bytes",
                          "hooks[0].dtype: got DTYPE_BFLOAT16 with VIEW_FLOATS, expected none: it is the type of "
                          "elements sent as bytes",
                          "hooks[0].dtype: got DTYPE_FLOAT16 beside logit_lens, expected none: it is the type of "
                          "elements sent as bytes"));
}

TEST_F(ReadTransformsTest, AProjectionIsAVectorOrTheRowsOfAMatrix) {
  auto vector = Read("project { shape: 3 floats: [1, 2, 3] }").projection;
  EXPECT_EQ(vector->count, 1);
  EXPECT_EQ(vector->width, 3);
  auto matrix = Read("project { shape: [2, 3] floats: [1, 2, 3, 4, 5, 6] }").projection;
  EXPECT_EQ(matrix->count, 2);
  EXPECT_EQ(matrix->width, 3);
  EXPECT_THAT(matrix->rows, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(ReadTransformsTest, RefusesProjectionsOfOtherDimensions) {
  Read("project { floats: 1 }");
  Read("project { shape: [1, 1, 2] floats: [1, 2] }");
  EXPECT_THAT(Refusals(), ElementsAre("hooks[0].project.shape: got [], expected [width] or [k, width]",
                                      "hooks[0].project.shape: got [1, 1, 2], expected [width] or [k, width]"));
}

TEST_F(ReadTransformsTest, RefusesProjectionsThatAreNoTensor) {
  Read("project { shape: 2 floats: [1, nan] }");
  EXPECT_THAT(Refusals(), ElementsAre(StartsWith("hooks[0].project.floats[1]: ")));
}

TEST_F(ReadTransformsTest, ALensHasTokens) {
  auto readout = Read("logit_lens { top_k: 257 token_ids: [5, 256] }").readout;
  EXPECT_EQ(readout->kind, Readout::Kind::kTokens);
  EXPECT_EQ(readout->top_k, 257u);
  EXPECT_THAT(readout->token_ids, ElementsAre(5, 256));
  EXPECT_TRUE(violations_.empty());
}

TEST_F(ReadTransformsTest, RefusesALensOfNoOrUnknownTokens) {
  Read("logit_lens {}");
  Read("logit_lens { top_k: 258 token_ids: [5, 257] }");
  EXPECT_THAT(Refusals(),
              ElementsAre("hooks[0].logit_lens: got none of top_k, token_ids, logits, entropy and final_divergence, "
                          "expected one at least",
                          "hooks[0].logit_lens.top_k: got 258, expected at most 257, the vocabulary's size",
                          "hooks[0].logit_lens.token_ids[1]: got 257, expected an id below 257"));
}

TEST_F(ReadTransformsTest, ALensHasNumbersOfTheDistribution) {
  const auto readout = Read("logit_lens { entropy: true final_divergence: true }").readout;
  EXPECT_TRUE(readout->entropy);
  EXPECT_TRUE(readout->final_divergence);
  EXPECT_EQ(readout->Scores(), 2);
  EXPECT_EQ(readout->TokenScores(), 0);
  EXPECT_TRUE(violations_.empty());
}

TEST_F(ReadTransformsTest, ALensOfAllLogitsIsATensorInAnyViewAndType) {
  const Selector bytes = Read("logit_lens { logits: true } dtype: DTYPE_FLOAT16");
  EXPECT_EQ(bytes.readout->kind, Readout::Kind::kLogits);
  EXPECT_FALSE(bytes.has_scores());
  EXPECT_EQ(bytes.dtype, v1::DTYPE_FLOAT16);
  EXPECT_EQ(Read("logit_lens { logits: true }", "hook_resid_mid", "view: VIEW_PREVIEW").view, v1::VIEW_PREVIEW);
  EXPECT_TRUE(Read("logit_lens { logits: true } view: VIEW_SUMMARY summary { top_k: 3 }").summary != nullptr);
  EXPECT_TRUE(violations_.empty());
}

TEST_F(ReadTransformsTest, RefusesALensThatIsATensorAndScores) {
  for (std::string scores : {"top_k: 1", "token_ids: 1", "entropy: true", "final_divergence: true"}) {
    violations_ = Violations();
    Read(absl::StrCat("logit_lens { logits: true ", scores, " }"));
    EXPECT_THAT(Refusals(),
                ElementsAre("hooks[0].logit_lens.logits: got it beside scores, expected it alone: a selector "
                            "gives a tensor or scores"));
  }
  violations_ = Violations();
  Read("logit_lens { logits: true } units { features: 0 } reduction: REDUCTION_MEAN");
  EXPECT_THAT(Refusals(), ElementsAre(HasSubstr("hooks[0].units: got units beside logit_lens"),
                                      HasSubstr("hooks[0].reduction: got REDUCTION_MEAN beside logit_lens")));
}

TEST_F(ReadTransformsTest, ALensReadsRawResidualStatesAndLogits) {
  for (std::string name : {"hook_resid_pre", "hook_resid_mid", "hook_resid_post", "hidden_states.0", "hidden_states.2",
                           "transformer.h.2", "logits"}) {
    Read(kLens, name);
    EXPECT_TRUE(violations_.empty()) << name;
  }
}

TEST_F(ReadTransformsTest, RefusesALensAfterTheFinalLayerNorm) {
  Read(kLens, "hidden_states");
  Read(kLens, "ln_final.hook_out");
  EXPECT_THAT(Refusals(), ElementsAre(HasSubstr("hooks[0].logit_lens: got hidden_states.3, which is after ln_f already "
                                                "(ln_f twice is the classic error), expected a raw residual state"),
                                      HasSubstr("hooks[0].logit_lens: got ln_final.hook_out, which is after ln_f")));
}

TEST_F(ReadTransformsTest, RefusesALensOfWhatIsNoResidualState) {
  for (std::string name : {"blocks.1.hook_attn_out", "hook_embed", "blocks.0.attn.hook_pattern"}) {
    violations_ = Violations();
    Read(kLens, name);
    EXPECT_THAT(Refusals(), ElementsAre(HasSubstr(absl::StrCat("hooks[0].logit_lens: got ", name,
                                                               ", which is not a state of the residual stream"))));
  }
}

TEST_F(ReadTransformsTest, RefusesToChooseWithinWhatALensReads) {
  Read(absl::StrCat(kLens, "units { features: 0 } reduction: REDUCTION_MAX view: VIEW_PREVIEW summary {}"));
  EXPECT_THAT(Refusals(),
              ElementsAre("hooks[0].units: got units beside logit_lens, expected none: it reads whole rows",
                          "hooks[0].reduction: got REDUCTION_MAX beside logit_lens, expected none",
                          "hooks[0].view: got VIEW_PREVIEW beside logit_lens, expected none: scores are sent",
                          "hooks[0].summary: got it beside logit_lens, expected none: scores are sent"));
}

TEST_F(ReadTransformsTest, ALensTakesNoNoticeOfTheRequestsView) {
  Read(kLens, "hook_resid_mid", "view: VIEW_SUMMARY");
  Read(absl::StrCat(kLens, "view: VIEW_BYTES"));
  EXPECT_TRUE(violations_.empty());
}

TEST_F(ReadTransformsTest, KeepsTheSummarysOptions) {
  Selector selector = Read("view: VIEW_SUMMARY summary { threshold: 0 top_k: 3 quantiles: [0, 1] }");
  EXPECT_EQ(selector.summary->top_k(), 3u);
  EXPECT_TRUE(violations_.empty());
  EXPECT_TRUE(Read("view: VIEW_SUMMARY").summary == nullptr);  // GoogleTest would print the message
}

TEST_F(ReadTransformsTest, RefusesSummariesThatCannotBe) {
  Read("view: VIEW_SUMMARY summary { threshold: -1 quantiles: [0.5, 1.5, nan, -0.5] }");
  Read("view: VIEW_SUMMARY summary { threshold: inf }");
  EXPECT_THAT(Refusals(), ElementsAre("hooks[0].summary.threshold: got -1, expected a finite magnitude, 0 or more",
                                      "hooks[0].summary.quantiles[1]: got 1.5, expected 0 to 1",
                                      "hooks[0].summary.quantiles[2]: got nan, expected 0 to 1",
                                      "hooks[0].summary.quantiles[3]: got -0.5, expected 0 to 1",
                                      "hooks[0].summary.threshold: got inf, expected a finite magnitude, 0 or more"));
}

}  // namespace
}  // namespace hydrophone
