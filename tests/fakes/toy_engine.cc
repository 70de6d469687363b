#include "tests/fakes/toy_engine.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

namespace hydrophone {
namespace {

constexpr size_t kWidth = 8;
constexpr size_t kHeads = 2;
constexpr size_t kHeadWidth = kWidth / kHeads;
constexpr size_t kInner = 4 * kWidth;
constexpr size_t kWords = 257;
constexpr int kBlocks = 3;

// A number between -1 and 1 that looks like chance, exact in float32.
double Weight(uint32_t a, uint32_t b) {
  uint32_t hash = (a * 2654435761u) ^ (b * 2246822519u);
  hash ^= hash >> 15;
  hash *= 2654435761u;
  return static_cast<double>(static_cast<int>(hash >> 16) - 32768) / 32768;
}

// (x - mean) / sqrt(variance + epsilon), and its denominators.
template <typename T>
std::vector<T> LayerNorm(const std::vector<T>& x, std::vector<T>* scales = nullptr) {
  std::vector<T> y(x.size());
  for (size_t row = 0; row < x.size(); row += kWidth) {
    T mean = 0, variance = 0;
    for (size_t i = 0; i < kWidth; ++i) mean += x[row + i] / static_cast<T>(kWidth);
    for (size_t i = 0; i < kWidth; ++i) variance += (x[row + i] - mean) * (x[row + i] - mean) / static_cast<T>(kWidth);
    const T scale = std::sqrt(variance + static_cast<T>(1e-5));
    for (size_t i = 0; i < kWidth; ++i) y[row + i] = (x[row + i] - mean) / scale;
    if (scales != nullptr) scales->push_back(scale);
  }
  return y;
}

// Each column times a weight of its own, `copies` times side by side: [n, 8] -> [n, copies 8].
template <typename T>
std::vector<T> Diagonals(const std::vector<T>& x, uint32_t seed, size_t copies = 1) {
  std::vector<T> y;
  for (size_t row = 0; row < x.size(); row += kWidth) {
    for (size_t i = 0; i < copies * kWidth; ++i) {
      y.push_back(x[row + i % kWidth] * static_cast<T>(Weight(seed, static_cast<uint32_t>(i))));
    }
  }
  return y;
}

// Columns [first, first + 8) of rows of this width.
template <typename T>
std::vector<T> Columns(const std::vector<T>& x, size_t width, size_t first) {
  std::vector<T> y;
  for (size_t row = 0; row < x.size(); row += width) {
    for (size_t i = 0; i < kWidth; ++i) y.push_back(x[row + first + i]);
  }
  return y;
}

// Each row as often as there are heads; with `own` a head's copy keeps that head's columns alone.
template <typename T>
std::vector<T> ForHeads(const std::vector<T>& x, bool own) {
  std::vector<T> y;
  for (size_t row = 0; row < x.size(); row += kWidth) {
    for (size_t head = 0; head < kHeads; ++head) {
      for (size_t i = 0; i < kWidth; ++i) y.push_back(!own || i / kHeadWidth == head ? x[row + i] : 0);
    }
  }
  return y;
}

// Causal attention; leaves all its points from q to z in `points`. qkv: [n, 24] -> z: [n, 8]
template <typename T>
std::vector<T> Attention(const std::vector<T>& qkv, int layer, ToyPoints<T>& points) {
  const std::vector<T> q = points[{Site::kQ, layer}] = Columns(qkv, 3 * kWidth, 0);
  const std::vector<T> k = points[{Site::kK, layer}] = Columns(qkv, 3 * kWidth, kWidth);
  const std::vector<T> v = points[{Site::kV, layer}] = Columns(qkv, 3 * kWidth, 2 * kWidth);
  const size_t n = q.size() / kWidth;
  std::vector<T> scores(kHeads * n * n, -std::numeric_limits<T>::infinity()), pattern(kHeads * n * n), z(n * kWidth);
  for (size_t row = 0; row < kHeads * n; ++row) {
    const size_t head = row / n, query = row % n;
    T sum = 0;
    for (size_t key = 0; key <= query; ++key) {
      T& score = scores[row * n + key] = 0;
      for (size_t i = head * kHeadWidth; i < (head + 1) * kHeadWidth; ++i) {
        score += q[query * kWidth + i] * k[key * kWidth + i] / 2;
      }
      sum += pattern[row * n + key] = std::exp(score);
    }
    for (size_t key = 0; key <= query; ++key) {
      pattern[row * n + key] /= sum;
      for (size_t i = head * kHeadWidth; i < (head + 1) * kHeadWidth; ++i) {
        z[query * kWidth + i] += pattern[row * n + key] * v[key * kWidth + i];
      }
    }
  }
  points[{Site::kAttnScores, layer}] = scores;
  points[{Site::kSoftmax, layer}] = points[{Site::kPattern, layer}] = pattern;
  return points[{Site::kZ, layer}] = z;
}

// The sum of the four quarters of each row, tanh'd: [n, 32] -> [n, 8].
template <typename T>
std::vector<T> Mlp(const std::vector<T>& ln_2, int layer, ToyPoints<T>& points) {
  std::vector<T> inner = points[{Site::kMlpPre, layer}] =
      Diagonals(ln_2, static_cast<uint32_t>(layer) + 700, kInner / kWidth);
  for (T& value : inner) value = std::tanh(value);
  points[{Site::kMlpPost, layer}] = inner;
  std::vector<T> out(ln_2.size());
  for (size_t i = 0; i < inner.size(); ++i) out[i / kInner * kWidth + i % kWidth] += inner[i];
  return out;
}

template <typename T>
std::vector<T> Unembed(const std::vector<T>& x) {
  std::vector<T> logits;
  for (size_t row = 0; row < x.size(); row += kWidth) {
    for (uint32_t word = 0; word < kWords; ++word) {
      T sum = 0;
      for (uint32_t i = 0; i < kWidth; ++i) sum += x[row + i] * static_cast<T>(Weight(word + 9000, i));
      logits.push_back(sum);
    }
  }
  return logits;
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
void Block(std::vector<T>& x, int layer, const ToyFaults& faults, Mode mode, ToyPoints<T>& points) {
  for (Site site : {Site::kHiddenState, Site::kResidPre, Site::kLn1In}) points[{site, layer}] = x;
  for (Site site : {Site::kAttnIn, Site::kQInput, Site::kKInput, Site::kVInput}) {
    points[{site, layer}] = ForHeads(x, /*own=*/false);
  }
  const std::vector<T> ln_1 = LayerNorm(x, &points[{Site::kLn1Scale, layer}]);
  for (Site site : {Site::kLn1Normalized, Site::kLn1Out, Site::kQIn, Site::kKIn, Site::kVIn}) {
    points[{site, layer}] = ln_1;
  }
  const std::vector<T> qkv = points[{Site::kQkv, layer}] = Diagonals(ln_1, static_cast<uint32_t>(layer) + 900, 3);
  const std::vector<T> z = Attention(qkv, layer, points);
  std::vector<T> attn = Diagonals(z, static_cast<uint32_t>(layer) + 800);
  points[{Site::kResult, layer}] = ForHeads(attn, /*own=*/true);
  if (mode.leak) attn[0] *= 1 + static_cast<T>(1e-6);
  points[{Site::kAttnOut, layer}] = attn;
  Add(x, points[{Site::kAttnDropped, layer}] = Dropped(attn, mode.train));
  points[{Site::kResidMid, layer}] = points[{Site::kLn2In, layer}] = x;
  const std::vector<T> ln_2 = LayerNorm(x, &points[{Site::kLn2Scale, layer}]);
  points[{Site::kLn2Normalized, layer}] = points[{Site::kLn2Out, layer}] = ln_2;
  std::vector<T> mlp = Mlp(ln_2, layer, points);
  for (T& value : mlp) value *= static_cast<T>(faults.mlp_scale);
  points[{Site::kMlpOut, layer}] = mlp;
  Add(x, points[{Site::kMlpDropped, layer}] = Dropped(mlp, mode.train));
  points[{Site::kResidPost, layer}] = x;
  points[{Site::kReconstructionResidual, layer}].assign(x.size(), 0);
}

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
  points[{Site::kEmbedDropped, -1}] = x;
  for (int layer = 0; layer < kBlocks; ++layer) Block(x, layer, faults, mode, points);
  points[{Site::kLnFinalIn, -1}] = x;
  const std::vector<T> normed = LayerNorm(x, &points[{Site::kLnFinalScale, -1}]);
  points[{Site::kLnFinalNormalized, -1}] = points[{Site::kLnFinalOut, -1}] = normed;
  points[{Site::kHiddenState, kBlocks}] = faults.no_ln_f ? x : normed;
  points[{Site::kLnFinalResidual, -1}].assign(x.size(), 0);
  points[{Site::kLogits, -1}] = Unembed(normed);
  for (auto& [point, values] : points) {
    if (point.first != faults.wrong_site) continue;
    for (T& value : values) value *= static_cast<T>(1.001);
  }
  return points;
}

TensorView ViewOf(std::vector<float> values, size_t width) {
  auto owner = std::make_shared<const std::vector<float>>(std::move(values));
  TensorView view;
  view.shape = {static_cast<int64_t>(owner->size() / width), static_cast<int64_t>(width)};
  view.data = reinterpret_cast<const std::byte*>(owner->data());
  view.owner = owner;
  return view;
}

std::vector<float> RowsOf(const Capture& capture, const std::vector<float>& matrix, size_t width) {
  std::vector<float> values;
  for (int64_t i = 0; i < capture.row_count; ++i) {
    const auto first = matrix.begin() + capture.Row(i) * static_cast<int64_t>(width);
    values.insert(values.end(), first, first + static_cast<int64_t>(width));
  }
  return values;
}

}  // namespace

ToyEngine::ToyEngine(ToyFaults faults) : faults_(faults) {
  model_.name = "toy";
  model_.architecture = "gpt2";
  model_.n_layer = kBlocks;
  model_.n_embd = kWidth;
  model_.n_head = kHeads;
  model_.n_inner = kInner;
  model_.n_positions = 64;
  model_.vocab_size = kWords;
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

absl::Status ToyEngine::Run(absl::Span<const BatchMember> batch, absl::FunctionRef<void()>) {
  for (const BatchMember& member : batch) {
    std::vector<std::vector<uint32_t>> runs;
    for (const PlannedRun& run : member.plan->runs) runs.push_back(run.token_ids);
    const bool shared = batch.size() > 1 || runs.size() > 1;
    ToyPoints<float> points =
        Forward(runs, faults_.neighbours_leak && shared, member.plan->runs.front().train_seed.has_value());
    for (size_t i = 0; i < member.plan->captures.size(); ++i) {
      const Capture& capture = member.plan->captures[i];
      const HookPointInfo& info = HookPointOf(capture.point);
      std::vector<float>& values = points.at({capture.point.site, capture.point.layer});
      // Squares are captured of all runs or of none.
      member.sink->OnCapture(i, info.square()
                                    ? ViewOf(std::move(values), 1)
                                    : ViewOf(RowsOf(capture, values, static_cast<size_t>(RowWidth(info, model_))),
                                             static_cast<size_t>(RowWidth(info, model_))));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<TensorView> ToyEngine::ApplyFinalLayerNorm(const TensorView& rows) const {
  const absl::Span<const float> values = rows.floats();
  return ViewOf(LayerNorm(std::vector<float>(values.begin(), values.end())), kWidth);
}

absl::Status ToyEngine::RunReference(absl::Span<const uint32_t> token_ids, const ReferenceSink& sink,
                                     const std::function<bool()>& stopped) const {
  const ToyPoints<double> points = ForwardOne<double>(token_ids, ToyFaults{}, {});
  std::map<int64_t, HookPoint> in_order;
  for (const auto& [point, values] : points) {
    const HookPoint hook{point.first, point.second};
    in_order[ForwardOrder(hook, kBlocks)] = hook;
  }
  for (const auto& [place, point] : in_order) {
    if (stopped()) return absl::CancelledError("stopped");
    sink(point, points.at({point.site, point.layer}));
  }
  return absl::OkStatus();
}

}  // namespace hydrophone
