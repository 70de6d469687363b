#include "server/model/gpt2/reference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/model/gpt2/reference_activation.h"

// T tokens, d width, H heads, D = d/H head width, f MLP width, V words. All arrays are row-major.
namespace hydrophone {
namespace {

using Matrix = std::vector<double>;

// Tokens that share one reading of a weight matrix: the matrix comes from memory, while the tokens' rows stay in the
// cache.
constexpr size_t kTokensAtOnce = 8;

// Rows of the unembedding between two questions whether to stop: at XL's width a few milliseconds of work.
constexpr size_t kWordsAtOnce = 1024;

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
        D_(d_ / H_),
        f_(static_cast<size_t>(config.n_inner)),
        V_(static_cast<size_t>(config.vocab_size)) {}

  // Returns false when it was stopped.
  bool Run() {
    Matrix x = Embed();  // [T, d]: the residual stream
    for (int layer = 0; layer < config_.n_layer; ++layer) {
      if (!Block(layer, x)) return false;
    }
    sink_({Site::kLnFinalIn, -1}, x);
    const Matrix normed = LayerNorm(
        x, weights_.ln_f, {{Site::kLnFinalScale, -1}, {Site::kLnFinalNormalized, -1}, {Site::kLnFinalOut, -1}});
    sink_({Site::kHiddenState, config_.n_layer}, normed);
    sink_({Site::kLnFinalResidual, -1}, Matrix(T_ * d_));
    return Unembed(normed);
  }

 private:
  // The points of a LayerNorm.
  struct NormPoints {
    HookPoint scale, normalized, out;
  };

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
    sink_({Site::kEmbedDropped, -1}, tokens);
    return tokens;  // [T, d]
  }

  // x: [T, d], in and out.
  bool Block(int layer, Matrix& x) const {
    const BlockWeights& h = weights_.h[static_cast<size_t>(layer)];
    for (Site site : {Site::kResidPre, Site::kHiddenState, Site::kLn1In}) sink_({site, layer}, x);
    GiveCopies(layer, x);

    const Matrix ln_1 = LayerNorm(
        x, h.ln_1, {{Site::kLn1Scale, layer}, {Site::kLn1Normalized, layer}, {Site::kLn1Out, layer}});  // [T, d]
    for (Site site : {Site::kQIn, Site::kKIn, Site::kVIn}) sink_({site, layer}, ln_1);
    Matrix qkv, z, attn, mlp;
    if (!Conv1D(ln_1, h.attn_c_attn, d_, 3 * d_, qkv)) return false;  // [T, 3d]
    sink_({Site::kQkv, layer}, qkv);
    if (!Attention(qkv, layer, z)) return false;  // [T, d]
    if (!GiveResults(z, h.attn_c_proj, layer)) return false;
    if (!Conv1D(z, h.attn_c_proj, d_, d_, attn)) return false;  // [T, d]
    for (Site site : {Site::kAttnOut, Site::kAttnDropped}) sink_({site, layer}, attn);
    Add(x, attn);
    for (Site site : {Site::kResidMid, Site::kLn2In}) sink_({site, layer}, x);

    if (!Mlp(x, h, layer, mlp)) return false;  // [T, d]
    for (Site site : {Site::kMlpOut, Site::kMlpDropped}) sink_({site, layer}, mlp);
    Add(x, mlp);
    sink_({Site::kResidPost, layer}, x);
    sink_({Site::kReconstructionResidual, layer}, Matrix(T_ * d_));
    return true;
  }

  // What each head reads of the residual stream, as often as there are heads: [T, H, d].
  void GiveCopies(int layer, const Matrix& x) const {
    Matrix copies;
    copies.reserve(T_ * H_ * d_);
    for (size_t t = 0; t < T_; ++t) {
      for (size_t head = 0; head < H_; ++head) copies.insert(copies.end(), &x[t * d_], &x[t * d_] + d_);
    }
    for (Site site : {Site::kAttnIn, Site::kQInput, Site::kKInput, Site::kVInput}) sink_({site, layer}, copies);
  }

  // x: [T, d], the middle of the block -> mlp: [T, d]
  bool Mlp(const Matrix& x, const BlockWeights& h, int layer, Matrix& mlp) const {
    const Matrix ln_2 = LayerNorm(
        x, h.ln_2, {{Site::kLn2Scale, layer}, {Site::kLn2Normalized, layer}, {Site::kLn2Out, layer}});  // [T, d]
    Matrix inner;
    if (!Conv1D(ln_2, h.mlp_c_fc, d_, f_, inner)) return false;  // [T, f]
    sink_({Site::kMlpPre, layer}, inner);
    for (double& value : inner) value = ReferenceActivation(config_.activation, value);
    sink_({Site::kMlpPost, layer}, inner);
    return Conv1D(inner, h.mlp_c_proj, f_, d_, mlp);
  }

  // (x - mean) / sqrt(variance + epsilon) * weight + bias, with the population's variance: [T, d] -> [T, d].
  Matrix LayerNorm(const Matrix& x, const LayerNormWeights& ln, const NormPoints& points) const {
    Matrix scales(T_), normalized(T_ * d_), y(T_ * d_);
    const double width = static_cast<double>(d_);
    for (size_t t = 0; t < T_; ++t) {
      const double* row = &x[t * d_];
      double mean = 0;
      for (size_t i = 0; i < d_; ++i) mean += row[i];
      mean /= width;
      double variance = 0;
      for (size_t i = 0; i < d_; ++i) variance += (row[i] - mean) * (row[i] - mean);
      variance /= width;
      scales[t] = std::sqrt(variance + config_.layer_norm_epsilon);
      for (size_t i = 0; i < d_; ++i) {
        const double value = normalized[t * d_ + i] = (row[i] - mean) / scales[t];
        y[t * d_ + i] = value * static_cast<double>(ln.weight[i]) + static_cast<double>(ln.bias[i]);
      }
    }
    sink_(points.scale, scales);
    sink_(points.normalized, normalized);
    sink_(points.out, y);
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

  // Each head's own part of the attention delta, without the bias: its columns of z times its rows of c_proj's weight.
  // z: [T, d]; gives [T, H, d].
  bool GiveResults(const Matrix& z, const Conv1DWeights& c_proj, int layer) const {
    Matrix results(T_ * H_ * d_);
    for (size_t begin = 0; begin < T_; begin += kTokensAtOnce) {
      if (stopped_()) return false;
      const size_t end = std::min(T_, begin + kTokensAtOnce);
      for (size_t k = 0; k < d_; ++k) {
        const size_t head = k / D_;
        for (size_t t = begin; t < end; ++t) {
          AddScaled(z[t * d_ + k], &c_proj.weight[k * d_], d_, &results[(t * H_ + head) * d_]);
        }
      }
    }
    sink_({Site::kResult, layer}, results);
    return true;
  }

  // Causal attention of every head; in z the heads lie side by side. qkv: [T, 3d] -> z: [T, d]
  bool Attention(const Matrix& qkv, int layer, Matrix& z) const {
    const Matrix q = Third(qkv, 0), k = Third(qkv, 1), v = Third(qkv, 2);  // [T, d]
    sink_({Site::kQ, layer}, q);
    sink_({Site::kK, layer}, k);
    sink_({Site::kV, layer}, v);
    Matrix squares;  // [H, T, T]
    if (!Scores(q, k, layer, squares)) return false;
    sink_({Site::kAttnScores, layer}, squares);
    for (size_t row = 0; row < H_ * T_; ++row) Softmax(absl::MakeSpan(squares).subspan(row * T_, T_));
    for (Site site : {Site::kSoftmax, Site::kPattern}) sink_({site, layer}, squares);
    if (!Mix(squares, v, z)) return false;
    sink_({Site::kZ, layer}, z);
    return true;
  }

  // The queries, the keys or the values: [T, 3d] -> [T, d].
  Matrix Third(const Matrix& qkv, size_t part) const {
    Matrix third(T_ * d_);
    for (size_t t = 0; t < T_; ++t) std::copy_n(&qkv[t * 3 * d_ + part * d_], d_, &third[t * d_]);
    return third;
  }

  // Each query with each key up to it; -inf for later keys. q, k: [T, d] -> scores: [H, T, T]
  bool Scores(const Matrix& q, const Matrix& k, int layer, Matrix& scores) const {
    scores.assign(H_ * T_ * T_, -std::numeric_limits<double>::infinity());
    for (size_t t = 0; t < T_; ++t) {
      if (stopped_()) return false;
      for (size_t head = 0; head < H_; ++head) {
        const double* query = &q[t * d_ + head * D_];  // [D]
        for (size_t s = 0; s <= t; ++s) {
          const double* key = &k[s * d_ + head * D_];  // [D]
          double dot = 0;
          for (size_t i = 0; i < D_; ++i) dot += query[i] * key[i];
          scores[(head * T_ + t) * T_ + s] = dot * ScoreScale(layer);
        }
      }
    }
    return true;
  }

  // pattern: [H, T, T], v: [T, d] -> z: [T, d]
  bool Mix(const Matrix& pattern, const Matrix& v, Matrix& z) const {
    z.assign(T_ * d_, 0.0);
    for (size_t t = 0; t < T_; ++t) {
      if (stopped_()) return false;
      for (size_t head = 0; head < H_; ++head) {
        const double* weights = &pattern[(head * T_ + t) * T_];  // [T]
        for (size_t s = 0; s <= t; ++s) {
          const double* value = &v[s * d_ + head * D_];  // [D]
          for (size_t i = 0; i < D_; ++i) z[t * d_ + head * D_ + i] += weights[s] * value[i];
        }
      }
    }
    return true;
  }

  // The dot product of each token's row with each row of lm_head. x: [T, d]; gives [T, V].
  bool Unembed(const Matrix& x) const {
    Matrix logits(T_ * V_);
    for (size_t begin = 0; begin < T_; begin += kTokensAtOnce) {
      const size_t count = std::min(T_ - begin, kTokensAtOnce);
      const Matrix columns = Columns(&x[begin * d_], count);
      for (size_t word = 0; word < V_; ++word) {
        if (word % kWordsAtOnce == 0 && stopped_()) return false;
        double sums[kTokensAtOnce] = {};
        const float* row = &weights_.lm_head[word * d_];
        for (size_t i = 0; i < d_; ++i) {
          const double weight = row[i];
          for (size_t t = 0; t < kTokensAtOnce; ++t) sums[t] += weight * columns[i * kTokensAtOnce + t];
        }
        for (size_t t = 0; t < count; ++t) logits[(begin + t) * V_ + word] = sums[t];
      }
    }
    sink_({Site::kLogits, -1}, logits);
    return true;
  }

  // `count` rows of width d as columns, so that a weight meets the tokens' values side by side; the columns that are
  // left over are 0. [count, d] -> [d, kTokensAtOnce]
  Matrix Columns(const double* rows, size_t count) const {
    Matrix columns(d_ * kTokensAtOnce);
    for (size_t t = 0; t < count; ++t) {
      for (size_t i = 0; i < d_; ++i) columns[i * kTokensAtOnce + t] = rows[t * d_ + i];
    }
    return columns;
  }

  // reorder_and_upcast_attn plays no part: it changes the order of scaling, which makes no difference in float64.
  double ScoreScale(int layer) const {
    double scale = 1;
    if (config_.scale_attn_weights) scale /= std::sqrt(static_cast<double>(D_));
    if (config_.scale_attn_by_inverse_layer_idx) scale /= layer + 1;
    return scale;
  }

  // A score of -inf becomes 0.
  static void Softmax(absl::Span<double> scores) {
    const double largest = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double& score : scores) sum += score = std::exp(score - largest);
    for (double& score : scores) score /= sum;
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
  const size_t T_, d_, H_, D_, f_, V_;
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
