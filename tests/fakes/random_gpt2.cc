#include "tests/fakes/random_gpt2.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <random>

namespace hydrophone {
namespace {

// Owns the weights' arrays: they live as long as the arena.
class Arena {
 public:
  explicit Arena(uint32_t seed) : random_(seed) {}

  absl::Span<const float> Normal(int64_t count, float mean, float deviation) {
    std::normal_distribution<float> normal(mean, deviation);
    std::vector<float>& values = arrays_.emplace_back(static_cast<size_t>(count));
    for (float& value : values) value = normal(random_);
    return values;
  }

 private:
  std::mt19937 random_;
  std::deque<std::vector<float>> arrays_;
};

}  // namespace

Gpt2Config SmallConfig() {
  Gpt2Config config;
  config.n_layer = 3;
  config.n_embd = 60;
  config.n_head = 4;
  config.n_inner = 100;
  config.n_positions = 80;
  config.vocab_size = 97;
  return config;
}

Gpt2Checkpoint RandomCheckpoint(const Gpt2Config& config, uint32_t seed) {
  auto arena = std::make_shared<Arena>(seed);
  const int64_t d = config.n_embd, f = config.n_inner;
  auto norm = [&] { return LayerNormWeights{arena->Normal(d, 1, 0.1f), arena->Normal(d, 0, 0.1f)}; };
  auto linear = [&](int64_t in, int64_t out) {
    return Conv1DWeights{arena->Normal(in * out, 0, 0.1f), arena->Normal(out, 0, 0.1f)};
  };
  Gpt2Checkpoint checkpoint;
  checkpoint.name = "random";
  checkpoint.config = config;
  Gpt2Weights& weights = checkpoint.weights;
  weights.wte = arena->Normal(config.vocab_size * d, 0, 0.5f);
  weights.wpe = arena->Normal(config.n_positions * d, 0, 0.2f);
  for (int layer = 0; layer < config.n_layer; ++layer) {
    weights.h.push_back({norm(), linear(d, 3 * d), linear(d, d), norm(), linear(d, f), linear(f, d)});
  }
  weights.ln_f = norm();
  weights.lm_head = weights.wte;
  weights.owner = arena;
  return checkpoint;
}

std::vector<uint32_t> RandomTokens(const Gpt2Config& config, size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint32_t> ids(count);
  std::uniform_int_distribution<uint32_t> uniform(0, static_cast<uint32_t>(config.vocab_size) - 1);
  for (uint32_t& id : ids) id = uniform(random);
  return ids;
}

ModelInfo InfoOf(const Gpt2Config& config) {
  Gpt2Checkpoint checkpoint;
  checkpoint.config = config;
  return DescribeModel(checkpoint);
}

Plan PlanFor(const std::vector<std::vector<uint32_t>>& runs, std::vector<HookPoint> points, const Gpt2Config& config) {
  Plan plan;
  plan.first_token = {0};
  Capture all;
  for (size_t run = 0; run < runs.size(); ++run) {
    const uint32_t index = static_cast<uint32_t>(run);
    plan.runs.push_back({index, runs[run]});
    plan.first_token.push_back(plan.first_token.back() + static_cast<int64_t>(runs[run].size()));
    all.runs.push_back(index);
    all.rows_per_run.push_back(static_cast<uint32_t>(runs[run].size()));
  }
  all.row_count = plan.tokens();
  std::stable_sort(points.begin(), points.end(), [&](HookPoint a, HookPoint b) {
    return ForwardOrder(a, config.n_layer) < ForwardOrder(b, config.n_layer);
  });
  const ModelInfo model = InfoOf(config);
  for (HookPoint point : points) {
    all.point = point;
    all.row_shape =
        HookPointOf(point).square() ? std::vector<int64_t>{config.n_head} : RowShape(HookPointOf(point), model);
    all.keys_per_run.clear();
    if (HookPointOf(point).square()) all.keys_per_run.assign(all.rows_per_run.begin(), all.rows_per_run.end());
    plan.captures.push_back(all);
  }
  return plan;
}

void SetSeed(std::optional<uint64_t> seed, Plan* plan) {
  for (PlannedRun& run : plan->runs) run.train_seed = seed;
}

void CollectingSink::OnCapture(size_t index, TensorView rows) {
  captures_.emplace(index, std::move(rows));
  if (stop_after >= 0 && static_cast<int>(captures_.size()) >= stop_after) stopped = true;
}

std::vector<float> CollectingSink::values(size_t index) const {
  const absl::Span<const float> floats = captures_.at(index).floats();
  return {floats.begin(), floats.end()};
}

}  // namespace hydrophone
