#include "server/model/gpt2/gpt2.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/sub.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "server/model/gpt2/attention_taps.h"
#include "server/model/libtorch/transfers.h"

namespace hydrophone {
namespace {

// A tensor over memory that must not be written to: libtorch has no view of constant memory, and nothing writes to a
// weight.
at::Tensor OnHost(absl::Span<const float> values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);
}

// The numbers as a tensor on `device`; on the CPU it refers to the vector.
at::Tensor Indices(const std::vector<int64_t>& numbers, at::Device device) {
  const at::Tensor host =
      at::from_blob(const_cast<int64_t*>(numbers.data()), {static_cast<int64_t>(numbers.size())}, at::kLong);
  return ToDevice(host, device);
}

}  // namespace

DropoutProbabilities DropoutOf(const Gpt2Config& config) {
  return {.embedding = config.embd_pdrop, .pattern = config.attn_pdrop, .residual = config.resid_pdrop};
}

Gpt2::Gpt2(const Gpt2Config& config, const Gpt2Weights& weights, std::unique_ptr<const Kernels> kernels)
    : config_(config), kernels_(std::move(kernels)), loaded_(weights) {
  const int64_t d = config.n_embd, f = config.n_inner;
  wte_ = Place(weights.wte, {config.vocab_size, d});
  wpe_ = Place(weights.wpe, {config.n_positions, d});
  for (const BlockWeights& w : weights.h) {
    h_.push_back({Place(w.ln_1), Prepare(w.attn_c_attn, d, 3 * d), Prepare(w.attn_c_proj, d, d), Place(w.ln_2),
                  Prepare(w.mlp_c_fc, d, f), Prepare(w.mlp_c_proj, f, d)});
  }
  ln_f_ = Place(weights.ln_f);
  const bool tied = weights.lm_head.data() == weights.wte.data();
  lm_head_ = tied ? wte_ : Place(weights.lm_head, {config.vocab_size, d});
}

// Copies to a device go straight from the weights' memory, because page-locked memory would be too large.
at::Tensor Gpt2::Place(absl::Span<const float> values, at::IntArrayRef shape) {
  at::Tensor placed = OnHost(values, shape).to(device());
  used_[values.data()] = [placed] { return placed.cpu(); };
  return placed;
}

Gpt2::LayerNorm Gpt2::Place(const LayerNormWeights& weights) {
  const int64_t d = config_.n_embd;
  return {Place(weights.weight, {d}), Place(weights.bias, {d})};
}

std::unique_ptr<const Linear> Gpt2::Prepare(const Conv1DWeights& weights, int64_t in, int64_t out) {
  auto linear = kernels_->Prepare(OnHost(weights.weight, {in, out}), Place(weights.bias, {out}));
  used_[weights.weight.data()] = [used = linear.get()] { return used->WeightOnHost(); };
  if (loaded_.give_back) loaded_.give_back(weights.weight);
  return linear;
}

bool Gpt2::Uses(absl::Span<const float> loaded) const {
  const at::Tensor used = used_.at(loaded.data())();
  return static_cast<size_t>(used.numel()) == loaded.size() &&
         std::memcmp(used.const_data_ptr<float>(), loaded.data(), loaded.size() * sizeof(float)) == 0;
}

void Gpt2::Forward(BatchRows& rows, const BatchDropout& dropout, Taps& taps, absl::FunctionRef<void()> between) const {
  Pass pass{rows.All(), dropout, taps, between};
  at::Tensor x = Embed(rows, pass);  // [rows, d]: the residual stream
  for (int layer = 0; layer < config_.n_layer; ++layer) {
    x = taps.EditAndGive({Site::kResidPre, layer}, x);
    taps.Give({Site::kHiddenState, layer}, x);
    const std::vector<bool> members = taps.MembersReaching({Site::kLn1In, layer});
    if (std::find(members.begin(), members.end(), true) == members.end()) return;
    if (const std::optional<std::vector<int64_t>> kept = rows.Keep(members)) {
      x = at::index_select(x, 0, Indices(*kept, device()));
      pass.sequences = rows.All();
    }
    x = RunBlock(layer, x, pass);
    if (!x.defined()) return;
  }
  if (!taps.Reaches({Site::kLnFinalIn, -1})) return;
  pass.between();
  Final(x, taps);
}

at::Tensor Gpt2::Embed(const BatchRows& rows, const Pass& pass) const {
  const std::vector<int64_t> ids(rows.token_ids().begin(), rows.token_ids().end());
  at::Tensor embed = at::index_select(wte_, 0, Indices(ids, device()));                   // [rows, d]
  at::Tensor pos_embed = at::index_select(wpe_, 0, Indices(rows.positions(), device()));  // [rows, d]
  embed = pass.taps.EditAndGive({Site::kEmbed, -1}, embed);
  pos_embed = pass.taps.EditAndGive({Site::kPosEmbed, -1}, pos_embed);
  const at::Tensor dropped = pass.dropout.Drop(DropoutPlace::kEmbedding, -1, kernels_->Add(embed, pos_embed));
  return pass.taps.EditAndGive({Site::kEmbedDropped, -1}, dropped);
}

at::Tensor Gpt2::RunBlock(int layer, const at::Tensor& x, const Pass& pass) const {
  const Block& block = h_[static_cast<size_t>(layer)];
  Taps& taps = pass.taps;
  pass.between();
  const at::Tensor branch = taps.EditAndGive({Site::kLn1In, layer}, x);
  HeadInputs heads(layer, config_.n_head, taps);
  heads.Give(branch, pass.sequences);
  const at::Tensor ln_1 =
      Norm(block.ln_1, branch, {{Site::kLn1Scale, layer}, {Site::kLn1Normalized, layer}, {Site::kLn1Out, layer}}, taps);
  const Delta attn = Attention(layer, ln_1, heads, pass);
  if (!attn.out.defined() || !taps.Reaches({Site::kResidMid, layer})) return {};
  const at::Tensor resid_mid = taps.EditAndGive({Site::kResidMid, layer}, kernels_->Add(x, attn.dropped));  // [rows, d]
  if (!taps.Reaches({Site::kLn2In, layer})) return {};

  const at::Tensor ln_2 = Norm(block.ln_2, taps.EditAndGive({Site::kLn2In, layer}, resid_mid),
                               {{Site::kLn2Scale, layer}, {Site::kLn2Normalized, layer}, {Site::kLn2Out, layer}}, taps);
  const Delta mlp = Mlp(layer, ln_2, pass);
  if (!mlp.out.defined() || !taps.Reaches({Site::kResidPost, layer})) return {};
  at::Tensor resid_post =
      taps.EditAndGive({Site::kResidPost, layer}, kernels_->Add(resid_mid, mlp.dropped));  // [rows, d]

  const HookPoint residual{Site::kReconstructionResidual, layer};
  if (taps.Wants(residual))
    taps.Give(residual, at::sub(resid_post, kernels_->Add(kernels_->Add(x, attn.out), mlp.out)));
  return resid_post;
}

// The queries, keys and values of all heads, [rows, 3d], as c_attn computes them.
at::Tensor Gpt2::QueryKeyValue(int layer, const at::Tensor& normed, const HeadInputs& heads, Taps& taps) const {
  const Block& block = h_[static_cast<size_t>(layer)];
  std::vector<at::Tensor> inputs;  // of the queries, the keys, the values
  for (const Site site : {Site::kQIn, Site::kKIn, Site::kVIn}) {
    inputs.push_back(taps.EditAndGive({site, layer}, normed));
  }
  if (!taps.Reaches({Site::kQkv, layer})) return {};
  at::Tensor qkv = block.c_attn->Apply(normed);
  const int64_t d = config_.n_embd;
  for (int64_t part = 0; part < 3; ++part) {
    const at::Tensor& input = inputs[static_cast<size_t>(part)];
    if (input.is_same(normed)) continue;
    qkv.narrow(1, part * d, d).copy_(block.c_attn->Apply(input).narrow(1, part * d, d));
  }
  heads.Overwrite([&](const at::Tensor& rows) { return block.c_attn->Apply(Apply(block.ln_1, rows)); }, qkv);
  return taps.EditAndGive({Site::kQkv, layer}, qkv);
}

Gpt2::Delta Gpt2::Attention(int layer, const at::Tensor& normed, const HeadInputs& heads, const Pass& pass) const {
  const Block& block = h_[static_cast<size_t>(layer)];
  Taps& taps = pass.taps;
  const at::Tensor qkv = QueryKeyValue(layer, normed, heads, taps);
  if (!qkv.defined() || !taps.Reaches({Site::kQ, layer})) return {};
  const int64_t d = config_.n_embd;
  QueriesKeysValues parts;
  parts.q = taps.EditAndGive({Site::kQ, layer}, qkv.narrow(1, 0, d));
  parts.k = taps.EditAndGive({Site::kK, layer}, qkv.narrow(1, d, d));
  parts.v = taps.EditAndGive({Site::kV, layer}, qkv.narrow(1, 2 * d, d));
  if (!taps.Reaches({Site::kAttnScores, layer})) return {};
  pass.between();
  const at::Tensor z = taps.EditAndGive({Site::kZ, layer}, MixHeads(layer, parts, pass));  // [rows, d]
  GiveResults(layer, z, taps);
  if (!taps.Reaches({Site::kAttnOut, layer})) return {};
  pass.between();
  Delta delta;  // [rows, d]
  delta.out = taps.EditAndGive({Site::kAttnOut, layer}, block.attn_c_proj->Apply(z));
  delta.dropped =
      taps.EditAndGive({Site::kAttnDropped, layer}, pass.dropout.Drop(DropoutPlace::kAttention, layer, delta.out));
  return delta;
}

at::Tensor Gpt2::MixHeads(int layer, const QueriesKeysValues& qkv, const Pass& pass) const {
  AttentionTaps visitor(layer, pass.taps, pass.dropout);
  at::Tensor z = kernels_->CausalAttention(qkv, pass.sequences, config_.n_head, ScoreScale(layer), visitor);
  visitor.SendSquares();
  return z;
}

// Each head's columns of z times its rows of the output projection: [n, H, d], for the rows that captures ask for.
void Gpt2::GiveResults(int layer, const at::Tensor& z, Taps& taps) const {
  const Linear& projection = *h_[static_cast<size_t>(layer)].attn_c_proj;  // weight [d, d]
  const int64_t d_head = config_.d_head();
  taps.GiveComputed({Site::kResult, layer}, [&](const at::Tensor& rows) {
    const at::Tensor taken = at::index_select(z, 0, ToDevice(rows, device()));  // [n, d]
    at::Tensor results = at::empty({taken.size(0), config_.n_head, config_.n_embd}, taken.options());
    for (int64_t head = 0; head < config_.n_head; ++head) {
      const at::Tensor mixed = taken.narrow(1, head * d_head, d_head);
      results.select(1, head).copy_(projection.TimesRows(mixed, head * d_head));
    }
    return results.view({taken.size(0), -1});
  });
}

Gpt2::Delta Gpt2::Mlp(int layer, const at::Tensor& normed, const Pass& pass) const {
  const Block& block = h_[static_cast<size_t>(layer)];
  Taps& taps = pass.taps;
  if (!taps.Reaches({Site::kMlpPre, layer})) return {};
  pass.between();
  const at::Tensor inner = Inner(layer, normed, taps);
  const at::Tensor post = taps.EditAndGive({Site::kMlpPost, layer}, inner);  // [rows, f]
  if (!taps.Reaches({Site::kMlpOut, layer})) return {};
  pass.between();
  Delta delta;  // [rows, d]
  delta.out = taps.EditAndGive({Site::kMlpOut, layer}, block.mlp_c_proj->Apply(post));
  delta.dropped = taps.EditAndGive({Site::kMlpDropped, layer}, pass.dropout.Drop(DropoutPlace::kMlp, layer, delta.out));
  return delta;
}

// The MLP's values between its two products, [rows, f].
at::Tensor Gpt2::Inner(int layer, const at::Tensor& normed, Taps& taps) const {
  const Linear& c_fc = *h_[static_cast<size_t>(layer)].c_fc;
  const HookPoint pre{Site::kMlpPre, layer};
  if (!taps.Touches(pre)) return c_fc.ApplyActivated(normed, config_.activation);
  return kernels_->Activate(config_.activation, taps.EditAndGive(pre, c_fc.Apply(normed)));
}

at::Tensor Gpt2::Norm(const LayerNorm& norm, const at::Tensor& x, NormPoints points, Taps& taps) const {
  if (taps.Wants(points.scale)) taps.Give(points.scale, kernels_->LayerNormScale(x, config_.layer_norm_epsilon));
  if (taps.Wants(points.normalized)) taps.Give(points.normalized, Apply(LayerNorm{}, x));
  return taps.EditAndGive(points.out, Apply(norm, x));  // [rows, d]
}

void Gpt2::Final(const at::Tensor& x, Taps& taps) const {
  const at::Tensor normed =
      Norm(ln_f_, taps.EditAndGive({Site::kLnFinalIn, -1}, x),
           {{Site::kLnFinalScale, -1}, {Site::kLnFinalNormalized, -1}, {Site::kLnFinalOut, -1}}, taps);
  taps.Give({Site::kHiddenState, config_.n_layer}, normed);
  const HookPoint residual{Site::kLnFinalResidual, -1};
  if (taps.Wants(residual)) taps.Give(residual, at::sub(FinalLayerNorm(x), normed));
  taps.GiveLogits(normed);
}

at::Tensor Gpt2::Unembed(const at::Tensor& x) const { return kernels_->TimesTransposed(x, lm_head_); }

TapFunctions Gpt2::FunctionsForTaps() const {
  auto here = [this](const at::Tensor& host) { return ToDevice(host, device()); };
  TapFunctions functions;
  functions.final_layer_norm = [this, here](const at::Tensor& rows) { return ToHost(FinalLayerNorm(here(rows))); };
  functions.unembed = [this, here](const at::Tensor& rows) { return ToHost(Unembed(here(rows))); };
  functions.times_transposed = [this, here](const at::Tensor& rows, const at::Tensor& vectors) {
    return ToHost(kernels_->TimesTransposed(here(rows), here(vectors)));
  };
  return functions;
}

at::Tensor Gpt2::FinalLayerNorm(const at::Tensor& x) const { return Apply(ln_f_, x); }

at::Tensor Gpt2::Apply(const LayerNorm& norm, const at::Tensor& x) const {
  return kernels_->LayerNorm(x, norm.weight, norm.bias, config_.layer_norm_epsilon);
}

// The factor by which Hugging Face multiplies the scores. Its reorder_and_upcast_attn applies the factor in the product
// instead of after it, and computes in float32, as this does anyway.
double Gpt2::ScoreScale(int layer) const {
  double scale = 1.0;
  if (config_.scale_attn_weights) scale /= std::sqrt(static_cast<double>(config_.d_head()));
  if (config_.scale_attn_by_inverse_layer_idx) scale /= layer + 1;
  return scale;
}

}  // namespace hydrophone
