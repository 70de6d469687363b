#include "server/model/gpt2/reference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

// T tokens, d width, H heads, D = d/H head width, f MLP width. All arrays are row-major.
namespace hydrophone {
namespace {

using Matrix = std::vector<double>;

// Tokens that share one reading of a weight matrix: the matrix comes from memory, while the tokens' rows stay in the
// cache.
constexpr size_t kTokensAtOnce = 8;

constexpr double kSqrt2OverPi = 0.79788456080286535588;
constexpr double kSqrtHalf = 0.70710678118654752440;

class Reference {
 public:
  Reference(const Gpt2Config& config, const Gpt2Weights& weights, absl::Span<const uint32_t> token_ids,
            const ReferenceSink& sink, const std::function<bool()>& stopped)
      : config_(config),
        weights_(weights),
        token_ids_(token_ids),
        sink_(sink),
        stopped_(stopped),
        T_(token_ids.size()),
        d_(static_cast<size_t>(config.n_embd)),
        H_(static_cast<size_t>(config.n_head)),
        f_(static_cast<size_t>(config.n_inner)) {}

  // Returns false when it was stopped.
  bool Run() {
    Matrix x = Embed();  // [T, d]: the residual stream
    for (int layer = 0; layer < config_.n_layer; ++layer) {
      if (!Block(layer, x)) return false;
    }
    sink_({Site::kLnFinalOut, -1}, LayerNorm(x, weights_.ln_f));  // [T, d]
    return true;
  }

 private:
  Matrix Embed() const {
    Matrix tokens(T_ * d_);     // [T, d]
    Matrix positions(T_ * d_);  // [T, d]
    for (size_t t = 0; t < T_; ++t) {
      for (size_t i = 0; i < d_; ++i) {
        tokens[t * d_ + i] = weights_.wte[token_ids_[t] * d_ + i];
        positions[t * d_ + i] = weights_.wpe[t * d_ + i];
      }
    }
    sink_({Site::kEmbed, -1}, tokens);
    sink_({Site::kPosEmbed, -1}, positions);
    Add(tokens, positions);
    return tokens;  // [T, d]
  }

  // x: [T, d], in and out.
  bool Block(int layer, Matrix& x) const {
    const BlockWeights& h = weights_.h[static_cast<size_t>(layer)];
    sink_({Site::kResidPre, layer}, x);

    Matrix ln_1 = LayerNorm(x, h.ln_1);  // [T, d]
    sink_({Site::kLn1Out, layer}, ln_1);
    Matrix qkv, z, attn, pre, mlp;
    if (!Conv1D(ln_1, h.attn_c_attn, d_, 3 * d_, qkv)) return false;  // [T, 3d]
    if (!Attention(qkv, layer, z)) return false;                      // [T, d]
    if (!Conv1D(z, h.attn_c_proj, d_, d_, attn)) return false;        // [T, d]
    sink_({Site::kAttnOut, layer}, attn);
    Add(x, attn);
    sink_({Site::kResidMid, layer}, x);

    Matrix ln_2 = LayerNorm(x, h.ln_2);  // [T, d]
    sink_({Site::kLn2Out, layer}, ln_2);
    if (!Conv1D(ln_2, h.mlp_c_fc, d_, f_, pre)) return false;  // [T, f]
    for (double& value : pre) value = Activate(value);
    if (!Conv1D(pre, h.mlp_c_proj, f_, d_, mlp)) return false;  // [T, d]
    sink_({Site::kMlpOut, layer}, mlp);
    Add(x, mlp);
    sink_({Site::kResidPost, layer}, x);
    return true;
  }

  // (x - mean) / sqrt(variance + epsilon) * weight + bias, with the population's variance: [T, d] -> [T, d].
  Matrix LayerNorm(const Matrix& x, const LayerNormWeights& ln) const {
    Matrix y(T_ * d_);
    const double width = static_cast<double>(d_);
    for (size_t t = 0; t < T_; ++t) {
      const double* row = &x[t * d_];
      double mean = 0;
      for (size_t i = 0; i < d_; ++i) mean += row[i];
      mean /= width;
      double variance = 0;
      for (size_t i = 0; i < d_; ++i) variance += (row[i] - mean) * (row[i] - mean);
      variance /= width;
      const double scale = std::sqrt(variance + config_.layer_norm_epsilon);
      for (size_t i = 0; i < d_; ++i) {
        y[t * d_ + i] = (row[i] - mean) / scale * static_cast<double>(ln.weight[i]) + static_cast<double>(ln.bias[i]);
      }
    }
    return y;
  }

  // y = x weight + bias: [T, in] times [in, out] plus [out] -> [T, out].
  bool Conv1D(const Matrix& x, const Conv1DWeights& c, size_t in, size_t out, Matrix& y) const {
    y.resize(T_ * out);
    for (size_t begin = 0; begin < T_; begin += kTokensAtOnce) {
      if (stopped_()) return false;
      const size_t end = std::min(T_, begin + kTokensAtOnce);
      for (size_t t = begin; t < end; ++t) std::copy(c.bias.begin(), c.bias.end(), &y[t * out]);
      for (size_t k = 0; k < in; ++k) {
        for (size_t t = begin; t < end; ++t) AddScaled(x[t * in + k], &c.weight[k * out], out, &y[t * out]);
      }
    }
    return true;
  }

  // y[n] += factor * w[n]
  static void AddScaled(double factor, const float* w, size_t n, double* y) {
    for (size_t i = 0; i < n; ++i) y[i] += factor * static_cast<double>(w[i]);
  }

  // Causal attention of every head; in z the heads lie side by side. qkv: [T, 3d] -> z: [T, d]
  bool Attention(const Matrix& qkv, int layer, Matrix& z) const {
    const size_t D = d_ / H_;
    z.assign(T_ * d_, 0.0);
    std::vector<double> pattern(T_);  // one query's weights over the keys
    for (size_t t = 0; t < T_; ++t) {
      if (stopped_()) return false;
      for (size_t head = 0; head < H_; ++head) {
        const double* query = &qkv[t * 3 * d_ + head * D];  // [D]
        for (size_t s = 0; s <= t; ++s) {
          const double* key = &qkv[s * 3 * d_ + d_ + head * D];  // [D]
          double dot = 0;
          for (size_t i = 0; i < D; ++i) dot += query[i] * key[i];
          pattern[s] = dot * ScoreScale(layer);
        }
        Softmax(absl::MakeSpan(pattern).first(t + 1));
        for (size_t s = 0; s <= t; ++s) {
          const double* value = &qkv[s * 3 * d_ + 2 * d_ + head * D];  // [D]
          for (size_t i = 0; i < D; ++i) z[t * d_ + head * D + i] += pattern[s] * value[i];
        }
      }
    }
    return true;
  }

  // reorder_and_upcast_attn plays no part: it changes the order of scaling, which makes no difference in float64.
  double ScoreScale(int layer) const {
    double scale = 1;
    const size_t head_width = d_ / H_;
    if (config_.scale_attn_weights) scale /= std::sqrt(static_cast<double>(head_width));
    if (config_.scale_attn_by_inverse_layer_idx) scale /= layer + 1;
    return scale;
  }

  static void Softmax(absl::Span<double> scores) {
    const double largest = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double& score : scores) sum += score = std::exp(score - largest);
    for (double& score : scores) score /= sum;
  }

  double Activate(double x) const {
    switch (config_.activation) {
      case Activation::kGeluNew:
        return 0.5 * x * (1 + std::tanh(kSqrt2OverPi * (x + 0.044715 * x * x * x)));
      case Activation::kGelu:
        return 0.5 * x * (1 + std::erf(x * kSqrtHalf));
      case Activation::kQuickGelu:
        return x / (1 + std::exp(-1.702 * x));
      case Activation::kRelu:
        return x < 0 ? 0 : x;  // not max(x, 0): NaN stays NaN
      case Activation::kSilu:
        return x / (1 + std::exp(-x));
      case Activation::kTanh:
        return std::tanh(x);
      case Activation::kGelu10:
        return std::clamp(0.5 * x * (1 + std::erf(x * kSqrtHalf)), -10.0, 10.0);
      case Activation::kHardswish:
        return x * std::clamp(x + 3, 0.0, 6.0) / 6;
      case Activation::kLaplace:
        return 0.5 * (1 + std::erf((x - 0.707107) / 0.282095 * kSqrtHalf));
      case Activation::kLeakyRelu:
        return x < 0 ? 0.01 * x : x;
      case Activation::kLinear:
        return x;
      case Activation::kMish:
        return x * std::tanh(std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0));
      case Activation::kRelu2:
        return x < 0 ? 0 : x * x;
      case Activation::kRelu6:
        return std::clamp(x, 0.0, 6.0);
      case Activation::kSigmoid:
        return 1 / (1 + std::exp(-x));
      case Activation::kSqrtSoftplus:
        return std::sqrt(std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0));
    }
    return x;
  }

  // x += delta
  static void Add(Matrix& x, const Matrix& delta) {
    for (size_t i = 0; i < x.size(); ++i) x[i] += delta[i];
  }

  const Gpt2Config& config_;
  const Gpt2Weights& weights_;
  const absl::Span<const uint32_t> token_ids_;
  const ReferenceSink& sink_;
  const std::function<bool()>& stopped_;
  const size_t T_, d_, H_, f_;
};

absl::Status CheckTokens(const Gpt2Config& config, absl::Span<const uint32_t> token_ids) {
  if (token_ids.empty() || token_ids.size() > static_cast<size_t>(config.n_positions)) {
    return absl::InvalidArgumentError(
        absl::StrCat("got ", token_ids.size(), " tokens, expected 1 to ", config.n_positions));
  }
  for (uint32_t id : token_ids) {
    if (id >= static_cast<uint32_t>(config.vocab_size)) {
      return absl::InvalidArgumentError(absl::StrCat("got token ", id, ", expected an id below ", config.vocab_size));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunGpt2Reference(const Gpt2Config& config, const Gpt2Weights& weights,
                              absl::Span<const uint32_t> token_ids, const ReferenceSink& sink,
                              const std::function<bool()>& stopped) {
  if (absl::Status status = CheckTokens(config, token_ids); !status.ok()) return status;
  if (!Reference(config, weights, token_ids, sink, stopped).Run()) {
    return absl::CancelledError("the reference forward was stopped");
  }
  return absl::OkStatus();
}

}  // namespace hydrophone
