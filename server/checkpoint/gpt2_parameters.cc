#include "server/checkpoint/gpt2_parameters.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

class ParameterList {
 public:
  void Add(std::string name, std::vector<int64_t> shape, absl::Span<const float>& values) {
    parameters_.push_back({std::move(name), std::move(shape), &values});
  }
  void AddLayerNorm(const std::string& name, int64_t width, LayerNormWeights& layer_norm) {
    Add(name + ".weight", {width}, layer_norm.weight);
    Add(name + ".bias", {width}, layer_norm.bias);
  }
  void AddConv1D(const std::string& name, int64_t in, int64_t out, Conv1DWeights& conv1d) {
    Add(name + ".weight", {in, out}, conv1d.weight);
    Add(name + ".bias", {out}, conv1d.bias);
  }
  void AddBlock(const std::string& name, int64_t d, int64_t f, BlockWeights& block) {
    AddLayerNorm(name + ".ln_1", d, block.ln_1);
    AddConv1D(name + ".attn.c_attn", d, 3 * d, block.attn_c_attn);
    AddConv1D(name + ".attn.c_proj", d, d, block.attn_c_proj);
    AddLayerNorm(name + ".ln_2", d, block.ln_2);
    AddConv1D(name + ".mlp.c_fc", d, f, block.mlp_c_fc);
    AddConv1D(name + ".mlp.c_proj", f, d, block.mlp_c_proj);
  }
  std::vector<Gpt2Parameter> Take() { return std::move(parameters_); }

 private:
  std::vector<Gpt2Parameter> parameters_;
};

}  // namespace

std::vector<Gpt2Parameter> Gpt2Parameters(const Gpt2Config& config, bool with_lm_head, Gpt2Weights& weights) {
  const int64_t d = config.n_embd;
  weights.h.resize(static_cast<size_t>(config.n_layer));
  ParameterList list;
  list.Add("wte.weight", {config.vocab_size, d}, weights.wte);
  list.Add("wpe.weight", {config.n_positions, d}, weights.wpe);
  for (size_t layer = 0; layer < weights.h.size(); ++layer) {
    list.AddBlock(absl::StrCat("h.", layer), d, config.n_inner, weights.h[layer]);
  }
  list.AddLayerNorm("ln_f", d, weights.ln_f);
  if (with_lm_head) list.Add("lm_head.weight", {config.vocab_size, d}, weights.lm_head);
  return list.Take();
}

}  // namespace hydrophone
