#include "server/model/gpt2/reference.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "server/core/hook_points.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

bool Never() { return false; }

// Parameters by their Hugging Face names, and the spans over them.
class Checkpoint {
 public:
  explicit Checkpoint(std::map<std::string, std::vector<float>> parameters, int layers)
      : parameters_(std::move(parameters)) {
    weights_.wte = Of("wte.weight");
    weights_.wpe = Of("wpe.weight");
    weights_.ln_f = Norm("ln_f");
    weights_.lm_head = parameters_.count("lm_head.weight") > 0 ? Of("lm_head.weight") : weights_.wte;
    for (int layer = 0; layer < layers; ++layer) {
      const std::string h = "h." + std::to_string(layer) + ".";
      weights_.h.push_back({Norm(h + "ln_1"), Linear(h + "attn.c_attn"), Linear(h + "attn.c_proj"), Norm(h + "ln_2"),
                            Linear(h + "mlp.c_fc"), Linear(h + "mlp.c_proj")});
    }
  }
  const Gpt2Weights& weights() const { return weights_; }

 private:
  absl::Span<const float> Of(const std::string& name) const { return parameters_.at(name); }
  LayerNormWeights Norm(const std::string& name) const { return {Of(name + ".weight"), Of(name + ".bias")}; }
  Conv1DWeights Linear(const std::string& name) const { return {Of(name + ".weight"), Of(name + ".bias")}; }

  std::map<std::string, std::vector<float>> parameters_;
  Gpt2Weights weights_;
};

using Points = std::vector<std::pair<std::string, std::vector<double>>>;

Points MustRun(const Gpt2Config& config, const Gpt2Weights& weights, const std::vector<uint32_t>& ids) {
  Points points;
  ReferenceSink sink = [&](HookPoint point, absl::Span<const double> values) {
    points.emplace_back(CanonicalName(point), std::vector<double>(values.begin(), values.end()));
  };
  absl::Status status = RunGpt2Reference(config, weights, ids, sink, Never);
  EXPECT_TRUE(status.ok()) << status;
  return points;
}

// One block of width 2, one head, MLP of width 1, all weights and biases 0, LayerNorms 1 and 0;
// tests set what they look at.
struct TinyParameters {
  std::map<std::string, std::vector<float>> values = {{"wte.weight", {1, -1, 3, 5}},
                                                      {"wpe.weight", {0, 0, 0, 0}},
                                                      {"h.0.ln_1.weight", {1, 1}},
                                                      {"h.0.ln_1.bias", {0, 0}},
                                                      {"h.0.attn.c_attn.weight", std::vector<float>(12, 0)},
                                                      {"h.0.attn.c_attn.bias", std::vector<float>(6, 0)},
                                                      {"h.0.attn.c_proj.weight", {0, 0, 0, 0}},
                                                      {"h.0.attn.c_proj.bias", {0, 0}},
                                                      {"h.0.ln_2.weight", {1, 1}},
                                                      {"h.0.ln_2.bias", {0, 0}},
                                                      {"h.0.mlp.c_fc.weight", {0, 0}},
                                                      {"h.0.mlp.c_fc.bias", {0}},
                                                      {"h.0.mlp.c_proj.weight", {0, 0}},
                                                      {"h.0.mlp.c_proj.bias", {0, 0}},
                                                      {"ln_f.weight", {1, 1}},
                                                      {"ln_f.bias", {0, 0}}};
};

Gpt2Config TinyConfig() {
  Gpt2Config config;
  config.n_layer = 1;
  config.n_embd = 2;
  config.n_head = 1;
  config.n_inner = 1;
  config.n_positions = 2;
  config.vocab_size = 2;
  config.layer_norm_epsilon = 0;
  return config;
}

std::vector<double> At(const Points& points, const std::string& name) {
  for (const auto& [point, values] : points) {
    if (point == name) return values;
  }
  ADD_FAILURE() << name << " was not given";
  return {};
}

// All of the catalogue but the flat points, which are other points' values.
std::vector<HookPoint> CataloguePoints(const ModelInfo& model) {
  std::vector<HookPoint> points;
  for (const HookPointInfo& info : HookPoints()) {
    if (info.flat) continue;
    if (info.layers == LayerKind::kNone) points.push_back(info.At(-1));
    for (int layer = 0; layer < LayerCount(info, model); ++layer) points.push_back(info.At(layer));
  }
  std::sort(points.begin(), points.end(),
            [&](HookPoint a, HookPoint b) { return ForwardOrder(a, model.n_layer) < ForwardOrder(b, model.n_layer); });
  return points;
}

TEST(ReferenceTest, GivesEveryPointOfTheCatalogueInForwardOrder) {
  ModelInfo model;
  model.n_layer = 1, model.n_embd = 2, model.n_head = 1, model.n_inner = 1, model.vocab_size = 2;
  Checkpoint checkpoint(TinyParameters().values, 1);
  const Points given = MustRun(TinyConfig(), checkpoint.weights(), {1, 0});
  const std::vector<HookPoint> expected = CataloguePoints(model);
  ASSERT_EQ(given.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(given[i].first, CanonicalName(expected[i]));
    const HookPointInfo& info = HookPointOf(expected[i]);
    const int64_t width = info.square() ? 2 : RowWidth(info, model);
    EXPECT_EQ(given[i].second.size(), static_cast<size_t>(2 * width)) << given[i].first;
  }
}

TEST(ReferenceTest, AddsThePositionToTheToken) {
  TinyParameters parameters;
  parameters.values["wpe.weight"] = {10, 20, 30, 40};
  Checkpoint checkpoint(parameters.values, 1);
  Points points = MustRun(TinyConfig(), checkpoint.weights(), {1, 0});
  EXPECT_THAT(At(points, "hook_embed"), ElementsAre(3, 5, 1, -1));
  EXPECT_THAT(At(points, "hook_pos_embed"), ElementsAre(10, 20, 30, 40));
  EXPECT_THAT(At(points, "blocks.0.hook_resid_pre"), ElementsAre(13, 25, 31, 39));
}

TEST(ReferenceTest, LayerNormUsesThePopulationsVariance) {
  TinyParameters parameters;
  parameters.values["h.0.ln_1.weight"] = {2, 3};
  parameters.values["h.0.ln_1.bias"] = {0.5, -0.5};
  Checkpoint checkpoint(parameters.values, 1);
  // (3, 5): mean 4, population's standard deviation 1 -> (-1, 1).
  EXPECT_THAT(At(MustRun(TinyConfig(), checkpoint.weights(), {1}), "blocks.0.ln1.hook_out"), ElementsAre(-1.5, 2.5));
}

TEST(ReferenceTest, EpsilonIsAddedToTheVariance) {
  Checkpoint checkpoint(TinyParameters().values, 1);
  Gpt2Config config = TinyConfig();
  config.layer_norm_epsilon = 3;  // variance 1 + 3: divided by 2
  EXPECT_THAT(At(MustRun(config, checkpoint.weights(), {1}), "blocks.0.ln1.hook_out"), ElementsAre(-0.5, 0.5));
}

TEST(ReferenceTest, AttentionAveragesThePastByEqualScores) {
  TinyParameters parameters;
  // Values are ln_1's output, (1, -1) then (-1, 1); queries and keys are 0, so that the pattern is
  // uniform over the past.
  parameters.values["h.0.attn.c_attn.weight"] = {0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1};
  parameters.values["h.0.attn.c_proj.weight"] = {1, 0, 0, 1};
  parameters.values["h.0.attn.c_proj.bias"] = {0.25, 0.5};
  Checkpoint checkpoint(parameters.values, 1);
  Points points = MustRun(TinyConfig(), checkpoint.weights(), {0, 1});
  EXPECT_THAT(At(points, "blocks.0.hook_attn_out"), ElementsAre(1.25, -0.5, 0.25, 0.5));
  EXPECT_THAT(At(points, "blocks.0.hook_resid_mid"), ElementsAre(2.25, -1.5, 3.25, 5.5));
}

TEST(ReferenceTest, TheMlpReadsTheMiddleOfTheBlock) {
  TinyParameters parameters;
  parameters.values["h.0.mlp.c_fc.weight"] = {2, 0};  // twice the first of (-1, 1)
  parameters.values["h.0.mlp.c_fc.bias"] = {5};       // 3
  parameters.values["h.0.mlp.c_proj.weight"] = {10, 1};
  parameters.values["h.0.mlp.c_proj.bias"] = {0, 7};
  Checkpoint checkpoint(parameters.values, 1);
  Gpt2Config config = TinyConfig();
  config.activation = Activation::kRelu;
  Points points = MustRun(config, checkpoint.weights(), {1});
  EXPECT_THAT(At(points, "blocks.0.hook_mlp_out"), ElementsAre(30, 10));
  EXPECT_THAT(At(points, "blocks.0.hook_resid_post"), ElementsAre(33, 15));
  EXPECT_THAT(At(points, "ln_final.hook_out"), ElementsAre(1, -1));
}

TEST(ReferenceTest, RefusesWhatIsNoInput) {
  Checkpoint checkpoint(TinyParameters().values, 1);
  ReferenceSink none = [](HookPoint, absl::Span<const double>) { ADD_FAILURE() << "nothing may be given"; };
  auto refusal = [&](std::vector<uint32_t> ids) {
    absl::Status status = RunGpt2Reference(TinyConfig(), checkpoint.weights(), ids, none, Never);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(refusal({}), HasSubstr("got 0 tokens, expected 1 to 2"));
  EXPECT_THAT(refusal({0, 0, 0}), HasSubstr("got 3 tokens"));
  EXPECT_THAT(refusal({0, 2}), HasSubstr("got token 2, expected an id below 2"));
}

TEST(ReferenceTest, StopsWhereverItIsAsked) {
  Checkpoint checkpoint(TinyParameters().values, 1);
  int asked = 0;
  ReferenceSink ignore = [](HookPoint, absl::Span<const double>) {};
  ASSERT_TRUE(RunGpt2Reference(TinyConfig(), checkpoint.weights(), {0, 1}, ignore, [&] { return ++asked < 0; }).ok());
  ASSERT_GT(asked, 6);  // four matrices, the attention, the heads' results and the unembedding
  for (int last = 1; last <= asked; ++last) {
    int count = 0;
    absl::Status status =
        RunGpt2Reference(TinyConfig(), checkpoint.weights(), {0, 1}, ignore, [&] { return ++count == last; });
    EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << last;
    EXPECT_EQ(count, last) << "went on after it was stopped";
  }
}

// ---- against Hugging Face in float64 (make_reference_golden.py) ----

const Json& Golden() {
  static const Json golden = Json::parse(std::ifstream("tests/server/model/gpt2/reference_golden.json"));
  return golden;
}

Activation ActivationOf(const std::string& name) {
  static const std::map<std::string, Activation> names = {{"gelu_new", Activation::kGeluNew},
                                                          {"gelu_pytorch_tanh", Activation::kGeluNew},
                                                          {"gelu_fast", Activation::kGeluNew},
                                                          {"gelu", Activation::kGelu},
                                                          {"quick_gelu", Activation::kQuickGelu},
                                                          {"relu", Activation::kRelu},
                                                          {"silu", Activation::kSilu},
                                                          {"tanh", Activation::kTanh}};
  return names.at(name);
}

Gpt2Config GoldenConfig(const Json& values) {
  const Json& sizes = Golden()["sizes"];
  Gpt2Config config;
  config.n_layer = sizes["n_layer"];
  config.n_embd = sizes["n_embd"];
  config.n_head = sizes["n_head"];
  config.n_inner = sizes["n_inner"];
  config.n_positions = sizes["n_positions"];
  config.vocab_size = sizes["vocab_size"];
  config.activation = ActivationOf(values["activation_function"]);
  config.layer_norm_epsilon = values["layer_norm_epsilon"];
  config.scale_attn_weights = values["scale_attn_weights"];
  config.scale_attn_by_inverse_layer_idx = values["scale_attn_by_inverse_layer_idx"];
  return config;
}

Checkpoint GoldenCheckpoint() {
  return Checkpoint(Golden()["weights"].get<std::map<std::string, std::vector<float>>>(), Golden()["sizes"]["n_layer"]);
}

// Hugging Face's gelu_fast writes sqrt(2/pi) with ten digits; all else agrees to rounding.
double ToleranceOf(const std::string& name) { return name == "gelu_fast" ? 1e-9 : 1e-12; }

// null stands for -inf.
std::vector<double> Numbers(const Json& values) {
  std::vector<double> numbers;
  for (const Json& value : values) {
    numbers.push_back(value.is_null() ? -std::numeric_limits<double>::infinity() : value.get<double>());
  }
  return numbers;
}

void ExpectNear(const std::vector<double>& got, const std::vector<double>& expected, const std::string& name,
                const std::string& point) {
  ASSERT_EQ(got.size(), expected.size()) << name << " " << point;
  for (size_t k = 0; k < expected.size(); ++k) {
    if (got[k] == expected[k]) continue;  // -inf too
    EXPECT_NEAR(got[k], expected[k], ToleranceOf(name)) << name << " " << point << " " << k;
  }
}

// What a point that the golden file leaves out has to be, made of the points that it holds; empty for another point.
std::vector<double> Repeated(const std::string& point, std::map<std::string, std::vector<double>>& given) {
  if (point == "ln_final.hook_in") return given["blocks.1.hook_resid_post"];
  if (point == "hook_ln_f_residual") return std::vector<double>(given["hook_embed"].size());
  if (point.starts_with("hidden_states.")) return given["blocks." + point.substr(14) + ".hook_resid_pre"];
  const std::string block = point.substr(0, 9), rest = point.substr(9);  // "blocks.0."
  const std::map<std::string, std::string> sources = {{"ln1.hook_in", "hook_resid_pre"},
                                                      {"ln2.hook_in", "hook_resid_mid"},
                                                      {"attn.q.hook_in", "ln1.hook_out"},
                                                      {"attn.k.hook_in", "ln1.hook_out"},
                                                      {"attn.v.hook_in", "ln1.hook_out"},
                                                      {"attn.hook_softmax", "attn.hook_pattern"},
                                                      {"attn.hook_resid_dropout", "hook_attn_out"},
                                                      {"mlp.hook_dropout", "hook_mlp_out"}};
  if (const auto source = sources.find(rest); source != sources.end()) return given[block + source->second];
  const std::vector<double>& x = given[block + "hook_resid_pre"];
  if (rest == "hook_reconstruction_residual") return std::vector<double>(x.size());
  if (rest != "hook_attn_in" && rest != "hook_q_input" && rest != "hook_k_input" && rest != "hook_v_input") return {};
  const std::ptrdiff_t width = Golden()["sizes"]["n_embd"], heads = Golden()["sizes"]["n_head"];
  std::vector<double> copies;
  for (auto row = x.begin(); row != x.end(); row += width) {
    for (std::ptrdiff_t head = 0; head < heads; ++head) copies.insert(copies.end(), row, row + width);
  }
  return copies;
}

TEST(ReferenceGoldenTest, EqualsHuggingFaceInFloat64) {
  const Checkpoint checkpoint = GoldenCheckpoint();
  ASSERT_GE(Golden()["cases"].size(), 11u);
  for (const Json& golden : Golden()["cases"]) {
    const std::string name = golden["name"];
    Points points = MustRun(GoldenConfig(golden["config"]), checkpoint.weights(), Golden()["token_ids"]);
    std::map<std::string, std::vector<double>> given(points.begin(), points.end());
    ASSERT_GE(golden["points"].size(), 50u) << name;
    std::set<std::string> compared;
    for (const Json& point : golden["points"]) {
      ExpectNear(given[point["name"]], Numbers(point["values"]), name, point["name"]);
      compared.insert(point["name"]);
    }
    for (const auto& [point, values] : given) {
      if (compared.count(point) > 0) continue;
      const std::vector<double> expected = Repeated(point, given);
      ASSERT_FALSE(expected.empty()) << point << " is compared with nothing";
      EXPECT_EQ(values, expected) << name << " " << point;
    }
  }
}

TEST(ReferenceGoldenTest, ReorderingBeforeUpcastingChangesNothingInFloat64) {
  const Checkpoint checkpoint = GoldenCheckpoint();
  Gpt2Config config = GoldenConfig(Golden()["cases"][0]["config"]);
  Points plain = MustRun(config, checkpoint.weights(), Golden()["token_ids"]);
  config.reorder_and_upcast_attn = true;
  EXPECT_EQ(MustRun(config, checkpoint.weights(), Golden()["token_ids"]), plain);
}

}  // namespace
}  // namespace hydrophone
