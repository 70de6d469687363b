#include "server/model/gpt2.h"

#include <ATen/Parallel.h>
#include <ATen/ops/add.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/sub.h>

#include <cmath>

#include "server/model/attention.h"
#include "server/model/elementwise.h"

namespace hydrophone {
namespace {

// Elements of one task of an element-wise loop: large enough to hide a task's cost.
constexpr int64_t kElementsPerTask = 16384;

// libtorch has no view of constant memory; nothing here writes to a weight.
at::Tensor Weight(absl::Span<const float> values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);
}

}  // namespace

Gpt2::Gpt2(const Gpt2Config& config, const Gpt2Weights& weights, RowBlocking blocking)
    : config_(config), blocking_(blocking), weights_owner_(weights.owner) {
  const int64_t d = config.n_embd, f = config.n_inner;
  auto norm = [d](const LayerNormWeights& w) { return LayerNorm{Weight(w.weight, {d}), Weight(w.bias, {d})}; };
  auto linear = [](const Conv1DWeights& w, int64_t in, int64_t out) {
    return Linear{Weight(w.weight, {in, out}), Weight(w.bias, {out})};
  };
  wte_ = Weight(weights.wte, {config.vocab_size, d});
  wpe_ = Weight(weights.wpe, {config.n_positions, d});
  for (const BlockWeights& w : weights.h) {
    h_.push_back({norm(w.ln_1), linear(w.attn_c_attn, d, 3 * d), linear(w.attn_c_proj, d, d), norm(w.ln_2),
                  linear(w.mlp_c_fc, d, f), linear(w.mlp_c_proj, f, d)});
  }
  ln_f_ = norm(weights.ln_f);
}

void Gpt2::Forward(const RaggedTokens& tokens, Taps& taps) const {
  at::Tensor x = Embed(tokens, taps);  // [tokens, d]: the residual stream
  for (int layer = 0; layer < config_.n_layer; ++layer) {
    taps.Give({Site::kResidPre, layer}, x);
    if (taps.BlocksNeeded() <= layer) return;
    x = RunBlock(layer, x, tokens.first_row, taps);
  }
  Final(x, taps);
}

at::Tensor Gpt2::Embed(const RaggedTokens& tokens, Taps& taps) const {
  const at::Tensor embed = at::index_select(wte_, 0, tokens.ids);            // [tokens, d]
  const at::Tensor pos_embed = at::index_select(wpe_, 0, tokens.positions);  // [tokens, d]
  taps.Give({Site::kEmbed, -1}, embed);
  taps.Give({Site::kPosEmbed, -1}, pos_embed);
  const at::Tensor x = at::add(embed, pos_embed);  // [tokens, d]
  taps.Give({Site::kHiddenState, 0}, x);
  return x;
}

at::Tensor Gpt2::RunBlock(int layer, const at::Tensor& x, const std::vector<int64_t>& first_row, Taps& taps) const {
  const Block& block = h_[static_cast<size_t>(layer)];
  const at::Tensor ln_1 = Norm(block.ln_1, x, {{Site::kLn1Normalized, layer}, {Site::kLn1Out, layer}}, taps);
  const at::Tensor attn_out = Attention(layer, ln_1, first_row, taps);
  const at::Tensor resid_mid = at::add(x, attn_out);  // [tokens, d]
  taps.Give({Site::kResidMid, layer}, resid_mid);

  const at::Tensor ln_2 = Norm(block.ln_2, resid_mid, {{Site::kLn2Normalized, layer}, {Site::kLn2Out, layer}}, taps);
  const at::Tensor mlp_out = Mlp(layer, ln_2, taps);
  const at::Tensor resid_post = at::add(resid_mid, mlp_out);  // [tokens, d]
  taps.Give({Site::kResidPost, layer}, resid_post);
  if (layer + 1 < config_.n_layer) taps.Give({Site::kHiddenState, layer + 1}, resid_post);

  const HookPoint residual{Site::kReconstructionResidual, layer};
  if (taps.Wants(residual)) taps.Give(residual, at::sub(resid_post, at::add(at::add(x, attn_out), mlp_out)));
  return resid_post;
}

at::Tensor Gpt2::Attention(int layer, const at::Tensor& normed, const std::vector<int64_t>& first_row,
                           Taps& taps) const {
  const Block& block = h_[static_cast<size_t>(layer)];
  const at::Tensor qkv = Apply(block.c_attn, normed);                                             // [tokens, 3d]
  const at::Tensor z = CausalAttention(qkv, first_row, config_.n_head, ScoreScale(layer));        // [tokens, d]
  const at::Tensor attn_out = Apply(block.attn_c_proj, z);                                        // [tokens, d]
  taps.Give({Site::kAttnOut, layer}, attn_out);
  taps.Give({Site::kAttnDropped, layer}, attn_out);  // eval mode: the dropout passes its input on
  return attn_out;
}

at::Tensor Gpt2::Mlp(int layer, const at::Tensor& normed, Taps& taps) const {
  const Block& block = h_[static_cast<size_t>(layer)];
  at::Tensor inner = Apply(block.c_fc, normed);  // [tokens, f]
  float* values = inner.mutable_data_ptr<float>();
  at::parallel_for(0, inner.numel(), kElementsPerTask, [&](int64_t begin, int64_t end) {
    ApplyActivation(config_.activation, values + begin, end - begin);
  });
  const at::Tensor mlp_out = Apply(block.mlp_c_proj, inner);  // [tokens, d]
  taps.Give({Site::kMlpOut, layer}, mlp_out);
  taps.Give({Site::kMlpDropped, layer}, mlp_out);  // eval mode: the dropout passes its input on
  return mlp_out;
}

at::Tensor Gpt2::Norm(const LayerNorm& norm, const at::Tensor& x, NormSites sites, Taps& taps) const {
  if (taps.Wants(sites.normalized)) taps.Give(sites.normalized, Apply(LayerNorm{}, x));
  const at::Tensor out = Apply(norm, x);  // [tokens, d]
  taps.Give(sites.out, out);
  return out;
}

void Gpt2::Final(const at::Tensor& x, Taps& taps) const {
  const at::Tensor normed = Norm(ln_f_, x, {{Site::kLnFinalNormalized, -1}, {Site::kLnFinalOut, -1}}, taps);
  taps.Give({Site::kHiddenState, config_.n_layer}, normed);
  const HookPoint residual{Site::kLnFinalResidual, -1};
  if (taps.Wants(residual)) taps.Give(residual, at::sub(FinalLayerNorm(x), normed));
}

at::Tensor Gpt2::FinalLayerNorm(const at::Tensor& x) const { return Apply(ln_f_, x); }

// Row by row in libtorch, so its bits do not depend on the batch. Without weight and bias: the affine part is left out.
at::Tensor Gpt2::Apply(const LayerNorm& norm, const at::Tensor& x) const {
  auto optional = [](const at::Tensor& t) { return t.defined() ? std::optional<at::Tensor>(t) : std::nullopt; };
  return at::layer_norm(x, {x.size(1)}, optional(norm.weight), optional(norm.bias), config_.layer_norm_epsilon);
}

at::Tensor Gpt2::Apply(const Linear& linear, const at::Tensor& x) const {
  return Conv1D(x, linear.weight, linear.bias, blocking_);
}

// What Hugging Face multiplies the scores with. reorder_and_upcast_attn applies it in the product instead of after it, in
// float32, which is where we compute anyway.
double Gpt2::ScoreScale(int layer) const {
  double scale = 1.0;
  if (config_.scale_attn_weights) scale /= std::sqrt(static_cast<double>(config_.d_head()));
  if (config_.scale_attn_by_inverse_layer_idx) scale /= layer + 1;
  return scale;
}

}  // namespace hydrophone
