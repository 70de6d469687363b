#include "server/verify/verify.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fakes/toy_engine.h"

namespace hydrophone {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

bool Never() { return false; }

VerifyOptions AllLayers() {
  VerifyOptions options;
  options.layers = {0, 1, 2};
  return options;
}

// What Verify gets from an engine for two inputs.
VerifyInputs Capture(const ToyEngine& engine, const VerifyOptions& options, bool leak = false) {
  VerifyInputs inputs;
  inputs.token_ids = {{72, 101, 108, 108, 111}, {33, 7, 200}};
  auto put = [](const ToyPoints<float>& from, const std::vector<HookPoint>& points, CapturedRun* run) {
    for (HookPoint point : points) run->Put(point, from.at({point.site, point.layer}));
  };
  const bool train = options.train;
  put(engine.Forward(inputs.token_ids, false, train), StatePoints(engine.model()), &inputs.states);
  put(engine.Forward(inputs.token_ids, leak, train), BlockPoints(engine.model(), options), &inputs.blocks);
  put(engine.Forward({inputs.token_ids[0]}, false, train), AlonePoints(engine.model()), &inputs.alone);
  inputs.blocks_batch_tokens = 13;
  inputs.alone_batch_tokens = 5;
  return inputs;
}

VerifyReport MustVerify(const ToyEngine& engine, const VerifyInputs& inputs,
                        const VerifyOptions& options = AllLayers()) {
  absl::StatusOr<VerifyReport> report = Verify(engine, inputs, options, Never);
  EXPECT_TRUE(report.ok()) << report.status();
  return report.ok() ? *report : VerifyReport{};
}

std::vector<std::string> Failed(const VerifyReport& report) {
  std::vector<std::string> names;
  for (const Check& check : report.checks) {
    if (!check.passed) names.push_back(check.name);
  }
  EXPECT_EQ(report.passed, names.empty());
  return names;
}

std::vector<std::string> Names(const VerifyReport& report) {
  std::vector<std::string> names;
  for (const Check& check : report.checks) names.push_back(check.name);
  return names;
}

// Changes one value of a captured array.
void Change(CapturedRun* run, HookPoint point, size_t element, float (*change)(float)) {
  absl::Span<const float> values = run->Get(point);
  std::vector<float> changed(values.begin(), values.end());
  changed[element] = change(changed[element]);
  run->Put(point, changed);
}

float OneUlpUp(float value) { return std::nextafter(value, std::numeric_limits<float>::infinity()); }

// An element of the second input, which is not run alone.
constexpr size_t kElement = 6 * 8 + 3;

TEST(VerifyTest, PassesWhatIsRight) {
  ToyEngine engine;
  VerifyReport report = MustVerify(engine, Capture(engine, AllLayers()));
  EXPECT_THAT(Failed(report), IsEmpty());
  EXPECT_THAT(report.layers, SizeIs(3));
  EXPECT_EQ(report.final_state.max_abs_input_difference, 0);
  EXPECT_GT(report.final_state.max_abs_raw_difference, 0.1);
  EXPECT_EQ(report.final_state.max_abs_ln_f_difference, 0);
  EXPECT_THAT(report.final_state.raw_profile_norms, SizeIs(4));
}

TEST(VerifyTest, NamesEveryCheck) {
  ToyEngine engine;
  VerifyOptions options = AllLayers();
  options.layers = {1};
  EXPECT_THAT(
      Names(MustVerify(engine, Capture(engine, options), options)),
      ::testing::UnorderedElementsAre(
          "A2.inference_mode", "A3.reconstruction", "A4.increment", "B1.block_inputs", "B2.raw_is_not_normalised",
          "B3.ln_f", "alone.vs.batch", "weights.digest", "reference.hook_embed", "reference.hook_pos_embed",
          "reference.blocks.1.hook_resid_pre", "reference.blocks.1.ln1.hook_out", "reference.blocks.1.hook_attn_out",
          "reference.blocks.1.hook_resid_mid", "reference.blocks.1.ln2.hook_out", "reference.blocks.1.hook_mlp_out",
          "reference.blocks.1.hook_resid_post", "reference.ln_final.hook_out"));
}

VerifyOptions TrainMode() {
  VerifyOptions options = AllLayers();
  options.train = true;
  options.reference = false;
  return options;
}

TEST(VerifyTest, InTrainModeTheSumClosesAfterTheDropoutsOnly) {
  ToyEngine engine;
  VerifyReport report = MustVerify(engine, Capture(engine, TrainMode()), TrainMode());
  EXPECT_THAT(Failed(report), IsEmpty());
  EXPECT_THAT(Names(report),
              ElementsAre("A2.inference_mode", "A3.reconstruction", "A4.increment", "A6.dropout", "B1.block_inputs",
                          "B2.raw_is_not_normalised", "B3.ln_f", "alone.vs.batch", "weights.digest"));
  EXPECT_EQ(report.layers[0].max_abs, 0);
}

TEST(VerifyTest, FindsDropoutLeftOut) {
  ToyEngine engine;
  VerifyInputs inputs = Capture(engine, TrainMode());
  for (int layer = 0; layer < 3; ++layer) {
    for (auto [dropped, delta] : {std::pair(Site::kAttnDropped, Site::kAttnOut), {Site::kMlpDropped, Site::kMlpOut}}) {
      const absl::Span<const float> values = inputs.blocks.Get({dropped, layer});
      inputs.blocks.Put({delta, layer}, {values.begin(), values.end()});
    }
  }
  EXPECT_THAT(Failed(MustVerify(engine, inputs, TrainMode())), Contains("A6.dropout"));
}

TEST(VerifyTest, FindsASumThatDoesNotCloseInTrainMode) {
  ToyEngine engine;
  VerifyInputs inputs = Capture(engine, TrainMode());
  Change(&inputs.blocks, {Site::kMlpDropped, 1}, kElement, [](float value) { return value + 1; });
  EXPECT_THAT(Failed(MustVerify(engine, inputs, TrainMode())), Contains("A3.reconstruction"));
}

TEST(VerifyTest, ReportsTheLayersAskedFor) {
  ToyEngine engine;
  VerifyOptions options = AllLayers();
  options.layers = {0, 2};
  VerifyReport report = MustVerify(engine, Capture(engine, options), options);
  ASSERT_THAT(report.layers, SizeIs(2));
  EXPECT_EQ(report.layers[0].layer, 0);
  EXPECT_EQ(report.layers[1].layer, 2);
  EXPECT_EQ(report.layers[1].mask.total, 8u * 8u);
}

TEST(VerifyTest, ADeltaThatIsALittleOffFailsA3) {
  ToyEngine engine;
  VerifyInputs inputs = Capture(engine, AllLayers());
  Change(&inputs.blocks, {Site::kMlpOut, 1}, kElement, [](float value) { return value + 1e-5f; });
  EXPECT_THAT(Failed(MustVerify(engine, inputs)), Contains("A3.reconstruction"));
}

TEST(VerifyTest, AnotherHiddenStateFailsA3AndB1) {
  ToyEngine engine;
  VerifyInputs inputs = Capture(engine, AllLayers());
  Change(&inputs.states, {Site::kHiddenState, 1}, kElement, OneUlpUp);
  EXPECT_THAT(Failed(MustVerify(engine, inputs)), ElementsAre("A3.reconstruction", "B1.block_inputs"));
}

TEST(VerifyTest, AnotherRawOutputFailsA3AndB3) {
  ToyEngine engine;
  VerifyInputs inputs = Capture(engine, AllLayers());
  Change(&inputs.blocks, {Site::kResidPost, 2}, kElement, [](float value) { return value + 1e-5f; });
  EXPECT_THAT(Failed(MustVerify(engine, inputs)), IsSupersetOf({"A3.reconstruction", "B3.ln_f"}));
}

TEST(VerifyTest, DeltasThatAreNotWhatWasAddedFailA4) {
  ToyEngine engine;
  VerifyInputs inputs = Capture(engine, AllLayers());
  Change(&inputs.blocks, {Site::kAttnOut, 0}, kElement, [](float value) { return value + 0.5f; });
  EXPECT_THAT(Failed(MustVerify(engine, inputs)),
              ElementsAre("A3.reconstruction", "A4.increment", "reference.blocks.0.hook_attn_out"));
}

TEST(VerifyTest, AHiddenStateWithoutLnFFailsB2AndB3) {
  ToyEngine engine({.no_ln_f = true});
  EXPECT_THAT(Failed(MustVerify(engine, Capture(engine, AllLayers()))),
              ElementsAre("B2.raw_is_not_normalised", "B3.ln_f"));
}

TEST(VerifyTest, AConsistentlyWrongDeltaFailsTheReferenceAlone) {
  ToyEngine engine({.mlp_scale = 1.001f});
  std::vector<std::string> failed = Failed(MustVerify(engine, Capture(engine, AllLayers())));
  EXPECT_THAT(failed, Each(StartsWith("reference.")));
  EXPECT_THAT(failed, Contains("reference.blocks.0.hook_mlp_out"));
  EXPECT_THAT(failed, Not(Contains("reference.blocks.0.hook_attn_out")));
}

TEST(VerifyTest, BitsThatDependOnNeighboursFail) {
  ToyEngine engine({.neighbours_leak = true});
  VerifyReport report = MustVerify(engine, Capture(engine, AllLayers(), /*leak=*/true));
  EXPECT_THAT(Failed(report), Contains("alone.vs.batch"));
  auto check = std::find_if(report.checks.begin(), report.checks.end(),
                            [](const Check& one) { return one.name == "alone.vs.batch"; });
  EXPECT_GE(check->value, 1);
  EXPECT_THAT(check->detail, HasSubstr("in a batch of 5 tokens, 5 of them its own, and in one of 13"));
}

TEST(VerifyTest, ChangedWeightsFail) {
  ToyEngine engine;
  engine.audit().differing_parameters = {"h.1.mlp.c_proj.weight"};
  EXPECT_THAT(Failed(MustVerify(engine, Capture(engine, AllLayers()))), ElementsAre("weights.digest"));
}

TEST(VerifyTest, AGradientGraphFailsA2) {
  ToyEngine engine;
  engine.mutable_compute().inference_mode = false;
  EXPECT_THAT(Failed(MustVerify(engine, Capture(engine, AllLayers()))), ElementsAre("A2.inference_mode"));
}

TEST(VerifyTest, TheReferenceRunsOnTheFirstTokensOfAllInputs) {
  ToyEngine engine;
  auto tokens_compared = [&](uint32_t limit) {
    VerifyOptions options = AllLayers();
    options.max_reference_tokens = limit;
    VerifyReport report = MustVerify(engine, Capture(engine, options), options);
    EXPECT_THAT(Failed(report), IsEmpty()) << limit;
    return report.checks.back().detail;
  };
  EXPECT_THAT(tokens_compared(64), HasSubstr("over 8 tokens"));
  EXPECT_THAT(tokens_compared(7),
              HasSubstr("over 7 tokens"));  // five of the first, two of the second
  EXPECT_THAT(tokens_compared(3), HasSubstr("over 3 tokens"));
}

TEST(VerifyTest, TheReferenceCanBeSkipped) {
  ToyEngine engine({.mlp_scale = 2});
  VerifyOptions options = AllLayers();
  options.reference = false;
  VerifyReport report = MustVerify(engine, Capture(engine, options), options);
  EXPECT_THAT(Failed(report), IsEmpty());
  EXPECT_THAT(Names(report), Each(Not(StartsWith("reference."))));
  EXPECT_THAT(BlockPoints(engine.model(), options), SizeIs(3 * 3 + 1));
}

TEST(VerifyTest, KeepsResidualsWhenAskedTo) {
  ToyEngine engine;
  VerifyOptions options = AllLayers();
  options.keep_residuals = true;
  VerifyReport report = MustVerify(engine, Capture(engine, options), options);
  for (const LayerReport& layer : report.layers) {
    EXPECT_THAT(layer.residual, SizeIs(8 * 8));
    EXPECT_THAT(layer.residual, Each(0.0f));
  }
  EXPECT_THAT(report.final_state.ln_f_residual, SizeIs(8 * 8));
}

TEST(VerifyTest, StopsWheneverItIsTold) {
  ToyEngine engine;
  VerifyInputs inputs = Capture(engine, AllLayers());
  int asked = 0;
  ASSERT_TRUE(Verify(engine, inputs, AllLayers(), [&] { return ++asked < 0; }).ok());
  ASSERT_GT(asked, 8);
  for (int last = 1; last <= asked; ++last) {
    int count = 0;
    absl::StatusOr<VerifyReport> report = Verify(engine, inputs, AllLayers(), [&] { return ++count >= last; });
    EXPECT_EQ(report.status().code(), absl::StatusCode::kCancelled) << last;
    EXPECT_EQ(count, last) << "went on after it was stopped";
  }
}

TEST(VerifyTest, AMissingArrayIsAnError) {
  ToyEngine engine;
  VerifyInputs inputs = Capture(engine, AllLayers());
  inputs.blocks.Put({Site::kAttnOut, 1}, {});
  absl::StatusOr<VerifyReport> report = Verify(engine, inputs, AllLayers(), Never);
  EXPECT_EQ(report.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("blocks.1.hook_attn_out has 0 values, expected 64"));
  EXPECT_FALSE(Verify(engine, VerifyInputs{}, AllLayers(), Never).ok());
}

TEST(VerifyTest, NamesEachPointOnce) {
  ToyEngine engine;
  for (const std::vector<int>& layers : {std::vector<int>{}, {2}, {0, 1}, {0, 1, 2}}) {
    VerifyOptions options = AllLayers();
    options.layers = layers;
    std::vector<std::string> names;
    for (HookPoint point : BlockPoints(engine.model(), options)) names.push_back(CanonicalName(point));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end())
        << *std::adjacent_find(names.begin(), names.end());
    EXPECT_THAT(names, Contains("blocks.2.hook_resid_post"));
  }
}

}  // namespace
}  // namespace hydrophone
