#include "tests/fakes/toy_engine.h"

#include <cmath>
#include <cstring>
#include <memory>

namespace hydrophone {
namespace {

constexpr size_t kWidth = 8;
constexpr int kBlocks = 3;

// A number between -1 and 1 that looks like chance, exact in float32.
double Weight(uint32_t a, uint32_t b) {
  uint32_t hash = (a * 2654435761u) ^ (b * 2246822519u);
  hash ^= hash >> 15;
  hash *= 2654435761u;
  return static_cast<double>(static_cast<int>(hash >> 16) - 32768) / 32768;
}

template <typename T>
std::vector<T> LayerNorm(const std::vector<T>& x) {
  std::vector<T> y(x.size());
  for (size_t row = 0; row < x.size(); row += kWidth) {
    T mean = 0, variance = 0;
    for (size_t i = 0; i < kWidth; ++i) mean += x[row + i] / static_cast<T>(kWidth);
    for (size_t i = 0; i < kWidth; ++i) variance += (x[row + i] - mean) * (x[row + i] - mean) / static_cast<T>(kWidth);
    for (size_t i = 0; i < kWidth; ++i) y[row + i] = (x[row + i] - mean) / std::sqrt(variance + static_cast<T>(1e-5));
  }
  return y;
}

// Each row becomes the mean of all rows up to it, times a weight of the layer and dimension.
template <typename T>
std::vector<T> Attention(const std::vector<T>& x, int layer) {
  std::vector<T> y(x.size());
  for (size_t i = 0; i < kWidth; ++i) {
    const T weight = static_cast<T>(Weight(static_cast<uint32_t>(layer) + 900, static_cast<uint32_t>(i)));
    T sum = 0;
    for (size_t row = 0; row * kWidth < x.size(); ++row) {
      sum += x[row * kWidth + i];
      y[row * kWidth + i] = weight * sum / static_cast<T>(row + 1);
    }
  }
  return y;
}

template <typename T>
void Add(std::vector<T>& x, const std::vector<T>& delta) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += delta[i];
}

// In train mode every fourth element is dropped and the others are scaled by 4/3, so that the expected sum stays.
template <typename T>
std::vector<T> Dropped(std::vector<T> delta, bool train) {
  for (size_t i = 0; train && i < delta.size(); ++i) delta[i] = i % 4 == 0 ? 0 : delta[i] * 4 / 3;
  return delta;
}

// The parameters of a forward pass besides its tokens.
struct Mode {
  bool leak = false;
  bool train = false;
};

template <typename T>
ToyPoints<T> ForwardOne(absl::Span<const uint32_t> ids, const ToyFaults& faults, Mode mode) {
  ToyPoints<T> points;
  std::vector<T> embed, positions;
  for (uint32_t t = 0; t < ids.size(); ++t) {
    for (uint32_t i = 0; i < kWidth; ++i) {
      embed.push_back(static_cast<T>(Weight(ids[t], i)));
      positions.push_back(static_cast<T>(Weight(t + 5000, i)));
    }
  }
  std::vector<T> x = embed;
  Add(x, positions);
  points[{Site::kEmbed, -1}] = embed;
  points[{Site::kPosEmbed, -1}] = positions;
  for (int layer = 0; layer < kBlocks; ++layer) {
    points[{Site::kHiddenState, layer}] = points[{Site::kResidPre, layer}] = x;
    const std::vector<T> ln_1 = points[{Site::kLn1Out, layer}] = LayerNorm(x);
    std::vector<T> attn = Attention(ln_1, layer);
    if (mode.leak) attn[0] *= 1 + static_cast<T>(1e-6);
    points[{Site::kAttnOut, layer}] = attn;
    Add(x, points[{Site::kAttnDropped, layer}] = Dropped(attn, mode.train));
    points[{Site::kResidMid, layer}] = x;
    std::vector<T> mlp = points[{Site::kLn2Out, layer}] = LayerNorm(x);
    for (T& value : mlp) value = std::tanh(value) * static_cast<T>(faults.mlp_scale);
    points[{Site::kMlpOut, layer}] = mlp;
    Add(x, points[{Site::kMlpDropped, layer}] = Dropped(mlp, mode.train));
    points[{Site::kResidPost, layer}] = x;
  }
  points[{Site::kLnFinalOut, -1}] = LayerNorm(x);
  points[{Site::kHiddenState, kBlocks}] = faults.no_ln_f ? x : LayerNorm(x);
  return points;
}

TensorView ViewOf(std::vector<float> values) {
  auto owner = std::make_shared<const std::vector<float>>(std::move(values));
  TensorView view;
  view.shape = {static_cast<int64_t>(owner->size() / kWidth), static_cast<int64_t>(kWidth)};
  view.data = reinterpret_cast<const std::byte*>(owner->data());
  view.owner = owner;
  return view;
}

std::vector<float> RowsOf(const Capture& capture, const std::vector<float>& matrix) {
  std::vector<float> values;
  for (int64_t i = 0; i < capture.row_count; ++i) {
    const int64_t row = capture.contiguous ? capture.first_row + i : capture.rows[static_cast<size_t>(i)];
    const auto first = matrix.begin() + row * static_cast<int64_t>(kWidth);
    values.insert(values.end(), first, first + static_cast<int64_t>(kWidth));
  }
  return values;
}

}  // namespace

ToyEngine::ToyEngine(ToyFaults faults) : faults_(faults) {
  model_.name = "toy";
  model_.architecture = "gpt2";
  model_.n_layer = kBlocks;
  model_.n_embd = kWidth;
  model_.n_head = 2;
  model_.n_inner = 4 * kWidth;
  model_.n_positions = 64;
  model_.vocab_size = 257;
  model_.weights_sha256 = "digest";
  compute_.numerics = "toy";
  compute_.inference_mode = true;
  audit_.file_sha256 = "digest";
}

ToyPoints<float> ToyEngine::Forward(const std::vector<std::vector<uint32_t>>& runs, bool leak, bool train) const {
  ToyPoints<float> all;
  for (const auto& ids : runs) {
    for (const auto& [point, values] : ForwardOne<float>(ids, faults_, {leak, train})) {
      all[point].insert(all[point].end(), values.begin(), values.end());
    }
  }
  return all;
}

absl::Status ToyEngine::Run(absl::Span<const BatchMember> batch) {
  for (const BatchMember& member : batch) {
    std::vector<std::vector<uint32_t>> runs;
    for (const PlannedRun& run : member.plan->runs) runs.push_back(run.token_ids);
    const bool shared = batch.size() > 1 || runs.size() > 1;
    ToyPoints<float> points =
        Forward(runs, faults_.neighbours_leak && shared, member.plan->runs.front().train_seed.has_value());
    for (size_t i = 0; i < member.plan->captures.size(); ++i) {
      const Capture& capture = member.plan->captures[i];
      member.sink->OnCapture(i, ViewOf(RowsOf(capture, points.at({capture.point.site, capture.point.layer}))));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<TensorView> ToyEngine::ApplyFinalLayerNorm(const TensorView& rows) const {
  const absl::Span<const float> values = rows.floats();
  return ViewOf(LayerNorm(std::vector<float>(values.begin(), values.end())));
}

absl::Status ToyEngine::RunReference(absl::Span<const uint32_t> token_ids, const ReferenceSink& sink,
                                     const std::function<bool()>& stopped) const {
  for (const auto& [point, values] : ForwardOne<double>(token_ids, ToyFaults{}, {})) {
    if (stopped()) return absl::CancelledError("stopped");
    if (point.first != Site::kHiddenState) sink({point.first, point.second}, values);
  }
  return absl::OkStatus();
}

}  // namespace hydrophone
