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
  if (options.reference) {
    const std::vector<size_t> lengths = ReferenceLengths({5, 3}, options.max_reference_tokens);
    std::vector<std::vector<uint32_t>> beginnings;
    for (size_t i = 0; i < lengths.size(); ++i) {
      const auto first = inputs.token_ids[i].begin();
      beginnings.emplace_back(first, first + static_cast<std::ptrdiff_t>(lengths[i]));
    }
    put(engine.Forward(beginnings, false, train), ReferencePoints(engine.model(), options), &inputs.reference);
  }
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

// A point of the catalogue at all layers that a report of layer 1 holds: none outside the blocks, and of the states the
// last one besides.
std::vector<HookPoint> AtLayerOne(const HookPointInfo& info) {
  if (info.layers == LayerKind::kNone) return {info.At(-1)};
  if (info.layers == LayerKind::kStates) return {info.At(1), info.At(3)};
  return {info.At(1)};
}

// A flat point is the same value as its twin with heads, in another shape: the twin's check is its own.
TEST(VerifyTest, EveryPointOfTheCatalogueHasACheck) {
  ToyEngine engine;
  VerifyOptions options = AllLayers();
  options.layers = {1};
  std::vector<std::string> expected = {
      "A2.inference_mode",        "A3.reconstruction", "A4.increment",   "B1.block_inputs",
      "B2.raw_is_not_normalised", "B3.ln_f",           "alone.vs.batch", "weights.digest"};
  for (const HookPointInfo& info : HookPoints()) {
    if (info.flat) continue;
    for (HookPoint point : AtLayerOne(info)) expected.push_back("reference." + CanonicalName(point));
  }
  EXPECT_THAT(Names(MustVerify(engine, Capture(engine, options), options)),
              ::testing::UnorderedElementsAreArray(expected));
}

// The states and deltas, which other checks look at too, are compared where those have them.
TEST(VerifyTest, AWrongValueFailsItsPointsCheckAlone) {
  ToyEngine engine;
  const VerifyInputs right = Capture(engine, AllLayers());
  const std::vector<HookPoint> points = ReferencePoints(engine.model(), AllLayers());
  EXPECT_THAT(points, IsSupersetOf(std::vector<HookPoint>{
                          {Site::kLogits, -1}, {Site::kQ, 0}, {Site::kMlpPost, 2}, {Site::kAttnScores, 1}}));
  for (HookPoint point : points) {
    VerifyInputs inputs = right;
    Change(&inputs.reference, point, 0, [](float value) { return value + 0.01f; });
    EXPECT_THAT(Failed(MustVerify(engine, inputs)), ElementsAre("reference." + CanonicalName(point)));
  }
}

TEST(VerifyTest, AWrongStateOrDeltaFailsItsPointsCheckToo) {
  ToyEngine engine;
  const VerifyInputs right = Capture(engine, AllLayers());
  for (HookPoint point :
       std::vector<HookPoint>{{Site::kResidPre, 1}, {Site::kAttnOut, 0}, {Site::kMlpOut, 2}, {Site::kResidPost, 2}}) {
    VerifyInputs inputs = right;
    Change(&inputs.blocks, point, kElement, [](float value) { return value + 0.01f; });
    EXPECT_THAT(Failed(MustVerify(engine, inputs)), Contains("reference." + CanonicalName(point)));
  }
  for (int layer = 0; layer <= 3; ++layer) {
    VerifyInputs inputs = right;
    Change(&inputs.states, {Site::kHiddenState, layer}, kElement, [](float value) { return value + 0.01f; });
    EXPECT_THAT(Failed(MustVerify(engine, inputs)), Contains("reference.hidden_states." + std::to_string(layer)));
  }
}

// Leaves one point out, as a reference does that does not know a new one.
class ForgetfulEngine : public ToyEngine {
 public:
  absl::Status RunReference(absl::Span<const uint32_t> token_ids, const ReferenceSink& sink,
                            const std::function<bool()>& stopped) const override {
    auto some = [&](HookPoint point, absl::Span<const double> values) {
      if (point != HookPoint{Site::kQ, 1}) sink(point, values);
    };
    return ToyEngine::RunReference(token_ids, some, stopped);
  }
};

TEST(VerifyTest, APointThatTheReferenceLeavesOutIsAnError) {
  ForgetfulEngine engine;
  absl::StatusOr<VerifyReport> report = Verify(engine, Capture(engine, AllLayers()), AllLayers(), Never);
  EXPECT_EQ(report.status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(report.status().message(), "the reference has no value at blocks.1.attn.hook_q");
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
              ElementsAre("B2.raw_is_not_normalised", "B3.ln_f", "reference.hidden_states.3"));
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
  inputs = Capture(engine, AllLayers());
  inputs.reference.Put({Site::kAttnScores, 1}, {1, 2});
  report = Verify(engine, inputs, AllLayers(), Never);
  EXPECT_THAT(std::string(report.status().message()),
              HasSubstr("blocks.1.attn.hook_attn_scores has 2 values, expected 68"));  // 2 (5 5 + 3 3)
  EXPECT_FALSE(Verify(engine, VerifyInputs{}, AllLayers(), Never).ok());
}

TEST(VerifyTest, NamesEachPointOnce) {
  ToyEngine engine;
  for (const std::vector<int>& layers : {std::vector<int>{}, {2}, {0, 1}, {0, 1, 2}}) {
    VerifyOptions options = AllLayers();
    options.layers = layers;
    std::vector<std::string> names;
    for (HookPoint point : BlockPoints(engine.model(), options)) names.push_back(CanonicalName(point));
    for (HookPoint point : ReferencePoints(engine.model(), options)) names.push_back(CanonicalName(point));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end())
        << *std::adjacent_find(names.begin(), names.end());
    EXPECT_THAT(names, Contains("blocks.2.hook_resid_post"));
  }
}

}  // namespace
}  // namespace hydrophone
