#include "client/cpp/cli/extract_request.h"

#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;

// Each text is one token, its length the id.
absl::StatusOr<v1::TokenizeResponse> Lengths(const v1::TokenizeRequest& request) {
  v1::TokenizeResponse response;
  for (const v1::Input& input : request.inputs()) {
    response.add_inputs()->add_token_ids(static_cast<uint32_t>(input.text().size()));
  }
  return response;
}

absl::StatusOr<v1::ExtractRequest> Make(ExtractOptions options) {
  if (options.inputs.sources.empty()) options.inputs.sources.texts = {"hi"};
  std::istringstream nothing;
  auto made = MakeRequest(options, nothing, Lengths);
  if (!made.ok()) return made.status();
  return made->request;
}

// The request that options without view, layout and dtype make, in the terminal.
v1::ExtractRequest Expected(const std::string& text) {
  v1::ExtractRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      absl::StrCat(text, " view: VIEW_PREVIEW dtype: DTYPE_FLOAT32 layout: LAYOUT_PER_RUN"), &request));
  return request;
}

void ExpectMakes(const ExtractOptions& options, const std::string& text) {
  const auto request = Make(options);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->DebugString(), Expected(text).DebugString());
}

std::string Error(const ExtractOptions& options) { return std::string(Make(options).status().message()); }

TEST(MakeRequest, SelectorsHaveWhatTheOptionsChoose) {
  ExtractOptions options;
  options.hooks = {"attn.hook_z", "hook_embed"};
  options.layers = "3";
  options.positions = "first";
  options.heads = "0-1";
  options.features = "5";
  options.reduce = "max";
  const std::string common = "positions { at: 0 } units { heads: 0 heads: 1 features: 5 } reduction: REDUCTION_MAX";
  ExpectMakes(options, absl::StrCat("inputs { text: 'hi' } hooks { hook_point: 'attn.hook_z' layers: 3 ", common,
                                    " } hooks { hook_point: 'hook_embed' layers: 3 ", common, " }"));
}

TEST(MakeRequest, SummaryOptionsAskForSummaries) {
  ExtractOptions options;
  options.hooks = {"hook_embed"};
  options.threshold = 30.0F;
  options.largest = 3;
  options.quantiles = "0.5,1";
  const auto request = Make(options);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->view(), v1::VIEW_SUMMARY);
  EXPECT_EQ(request->hooks(0).summary().ShortDebugString(), "threshold: 30 top_k: 3 quantiles: 0.5 quantiles: 1");
}

TEST(MakeRequest, ALogitLensLooksAtEveryLayersOutputAtTheLastPosition) {
  ExtractOptions options;
  options.top_k = 5;
  options.tokens = " Paris,7";
  ExpectMakes(options,
              "inputs { text: 'hi' } hooks { hook_point: 'hook_resid_post' positions { at: -1 } "
              "logit_lens { top_k: 5 token_ids: 6 token_ids: 7 } } hooks { hook_point: 'logits' positions { at: -1 } "
              "logit_lens { top_k: 5 token_ids: 6 token_ids: 7 } }");
  options.json = true;
  EXPECT_EQ(Make(options)->hooks_size(), 1) << "the model's own output is for grids";
}

TEST(MakeRequest, ALensMayGiveNumbersOfItsDistribution) {
  ExtractOptions options;
  options.lens_entropy = true;
  options.lens_kl = true;
  ExpectMakes(options,
              "inputs { text: 'hi' } hooks { hook_point: 'hook_resid_post' positions { at: -1 } "
              "logit_lens { entropy: true final_divergence: true } } hooks { hook_point: 'logits' positions { at: -1 } "
              "logit_lens { entropy: true final_divergence: true } }");
}

TEST(MakeRequest, ALensOfAllLogitsHasATypeAsOtherTensorsHave) {
  ExtractOptions options;
  options.hooks = {"hook_resid_mid"};
  options.lens_logits = true;
  options.out = "out.safetensors";
  options.dtype = "float16";
  const auto request = Make(options);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_TRUE(request->hooks(0).logit_lens().logits());
  EXPECT_EQ(request->dtype(), v1::DTYPE_FLOAT16);
}

TEST(MakeRequest, EditsCompareTheEditedRunWithTheCleanOne) {
  ExtractOptions options;
  options.hooks = {"hook_resid_post"};
  options.edits = {"hook_embed zero", "hook_embed pos=0 add=1"};
  options.metrics = {"loss", "kl"};
  ExpectMakes(options,
              "inputs { text: 'hi' } runs { key: 'clean' } runs { key: 'edited' baseline: 0 "
              "interventions { hook_point: 'hook_embed' positions { slice: ':' } zero {} } "
              "interventions { hook_point: 'hook_embed' positions { at: 0 } add { floats: 1 } } } "
              "hooks { hook_point: 'hook_resid_post' runs: 1 } "
              "metrics { key: 'loss' runs: 0 runs: 1 next_token_loss {} } metrics { key: 'kl' runs: 1 divergence {} }");
}

TEST(MakeRequest, WithoutABaselineTheEditedRunsValuesCome) {
  ExtractOptions options;
  options.hooks = {"hook_embed"};
  options.edits = {"hook_embed zero"};
  options.no_baseline = true;
  ExpectMakes(options,
              "inputs { text: 'hi' } runs { key: 'edited' "
              "interventions { hook_point: 'hook_embed' positions { slice: ':' } zero {} } } "
              "hooks { hook_point: 'hook_embed' runs: 0 }");
}

TEST(MakeRequest, ALogitLensOfAnEditShowsBothRuns) {
  ExtractOptions options;
  options.edits = {"hook_embed zero"};
  options.top_k = 1;
  const auto request = Make(options);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_FALSE(request->runs(1).has_baseline());
  EXPECT_EQ(request->hooks(0).runs_size(), 2);
}

TEST(MakeRequest, PatchesReadTheOtherText) {
  ExtractOptions options;
  options.hooks = {"hook_embed"};
  options.edits = {"hook_embed pos=-1 patch=source"};
  options.patch_from = {"other"};
  options.inputs.prepend_bos = true;
  const auto request = Make(options);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->inputs(1).text(), "other");
  EXPECT_TRUE(request->inputs(1).prepend_bos());
  EXPECT_EQ(request->runs(2).interventions(0).patch().run(), 1u);
  EXPECT_THAT(request->hooks(0).runs(), ::testing::ElementsAre(2));
}

TEST(MakeRequest, TrainModeAndContinuations) {
  ExtractOptions options;
  options.hooks = {"hook_embed"};
  options.train_seed = 0;
  ExpectMakes(options, "inputs { text: 'hi' } hooks { hook_point: 'hook_embed' } train_seed: 0");
  options = {};
  options.max_new_tokens = 5;
  ExpectMakes(options,
              "inputs { text: 'hi' } hooks { hook_point: 'hook_resid_post' positions { at: -1 } } max_new_tokens: 5");
}

TEST(MakeRequest, MetricsAloneNeedNoHook) {
  ExtractOptions options;
  options.metrics = {"logit-diff( Paris,2)"};
  ExpectMakes(options,
              "inputs { text: 'hi' } metrics { key: 'logit-diff( Paris,2)' logit_diff { correct: 6 wrong: 2 } }");
}

TEST(MakeRequest, TheFormSuitsTheOutput) {
  ExtractOptions options;
  options.hooks = {"hook_embed"};
  options.json = true;
  EXPECT_EQ(Make(options)->view(), v1::VIEW_FLOATS);
  options.json = false;
  options.out = "x.safetensors";
  EXPECT_EQ(Make(options)->view(), v1::VIEW_BYTES);
  EXPECT_EQ(Make(options)->layout(), v1::LAYOUT_ROWS);
  options.hooks = {"blocks.3.attn.hook_pattern"};
  EXPECT_EQ(Make(options)->layout(), v1::LAYOUT_PER_RUN) << "patterns have no rows to put together";
  options.layout = "rows";
  EXPECT_EQ(Make(options)->layout(), v1::LAYOUT_ROWS) << "the server's to refuse";
}

TEST(MakeRequest, ProjectionsAreReadFromFiles) {
  const TemporaryDirectory directory;
  const auto write = [&directory](const std::string& name, const std::string& shape) {
    const std::string header = absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': (", shape, "), }");
    WriteFile(directory / name,
              absl::StrCat(std::string("\x93NUMPY\x01\x00", 8), std::string(1, static_cast<char>(header.size())),
                           std::string(1, '\0'), header, std::string(4, '\0')));
  };
  ExtractOptions options;
  options.hooks = {"hook_embed"};
  write("v.npy", "1,");
  options.project = directory / "v.npy";
  const auto request = Make(options);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_THAT(request->hooks(0).project().shape(), ::testing::ElementsAre(1));
  write("m.npy", "1, 1, 1");
  options.project = directory / "m.npy";
  EXPECT_THAT(Error(options), HasSubstr("m.npy: got 3 dimensions, expected a matrix [k,width] or a vector [width]"));
  options.project = directory / "none.npy";
  EXPECT_THAT(Error(options), HasSubstr("none.npy: no such file"));
}

TEST(MakeRequest, RefusesWhatDoesNotGoTogether) {
  ExtractOptions options;
  EXPECT_THAT(Error(options), HasSubstr("nothing to capture"));
  options.top_k = 1;
  options.dtype = "float16";
  EXPECT_THAT(Error(options), HasSubstr("a logit lens gives scores"));
}

TEST(MakeRequest, RefusesWhatIsWrittenWrong) {
  for (const char* quantiles : {"x", "1.5", "nan", "0.5,"}) {
    ExtractOptions options;
    options.hooks = {"hook_embed"};
    options.quantiles = quantiles;
    EXPECT_THAT(Error(options), HasSubstr("expected numbers from 0 to 1")) << quantiles;
  }
  ExtractOptions options;
  options.hooks = {"hook_embed"};
  options.heads = "x";
  EXPECT_THAT(Error(options), HasSubstr("heads: got \"x\""));
  options.heads = "";
  options.features = "x";
  EXPECT_THAT(Error(options), HasSubstr("features: got \"x\""));
}

}  // namespace
}  // namespace hydrophone::client
