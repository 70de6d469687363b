// GPT-2's forward pass in float32 over a ragged batch, with a tap at every hook point.
//
// Radford et al., "Language Models are Unsupervised Multitask Learners" (2019); arithmetic and names as in Hugging
// Face's modeling_gpt2.py. Nothing is folded or centred: the weights are those of the checkpoint.
#ifndef HYDROPHONE_SERVER_MODEL_GPT2_GPT2_H_
#define HYDROPHONE_SERVER_MODEL_GPT2_GPT2_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "server/checkpoint/gpt2_config.h"
#include "server/checkpoint/gpt2_weights.h"
#include "server/model/batch/batch_dropout.h"
#include "server/model/gpt2/head_inputs.h"
#include "server/model/kernels/kernels.h"
#include "server/model/taps/taps.h"

namespace hydrophone {

// The probabilities of the checkpoint's dropouts.
DropoutProbabilities DropoutOf(const Gpt2Config& config);

// Thread-safe once made, but one forward pass at a time uses the machine best.
class Gpt2 {
 public:
  // Prepares the Conv1Ds, and gives the memory of their weights back where it is a mapped file's. On the CPU it shares
  // the memory of all other weights and keeps it alive; on another device it copies them there.
  Gpt2(const Gpt2Config& config, const Gpt2Weights& weights, std::unique_ptr<const Kernels> kernels);

  // Computes value after value, as long as the taps need one, and gives each to the taps. Members leave `rows` when
  // their last capture is done, so in the end `rows` holds the members that asked for the deepest points. Calls
  // `between` before each of a block's larger pieces of work; it may call Forward for another batch.
  void Forward(BatchRows& rows, const BatchDropout& dropout, Taps& taps, absl::FunctionRef<void()> between) const;

  at::Device device() const { return kernels_->device(); }

  // Whether the forward pass uses, bit for bit, the values of `loaded`, an array of the weights that this was made of.
  bool Uses(absl::Span<const float> loaded) const;

  // ln_f of x [n, d]. On the kernels' device.
  at::Tensor FinalLayerNorm(const at::Tensor& x) const;

  // lm_head of ln_f's output x [n, d]: logits [n, V]. On the kernels' device.
  at::Tensor Unembed(const at::Tensor& x) const;

  // The functions that a batch's taps need. They refer to this.
  TapFunctions FunctionsForTaps() const;

 private:
  struct LayerNorm {
    at::Tensor weight, bias;  // [d]
  };
  struct Block {
    LayerNorm ln_1;
    std::unique_ptr<const Linear> c_attn, attn_c_proj;
    LayerNorm ln_2;
    std::unique_ptr<const Linear> c_fc, mlp_c_proj;
  };
  // The points of a LayerNorm.
  struct NormPoints {
    HookPoint scale, normalized, out;
  };
  // What attention or the MLP adds to the residual stream.
  struct Delta {
    at::Tensor out;      // before the dropout
    at::Tensor dropped;  // after it
  };
  // What all layers of a batch's forward pass use.
  struct Pass {
    std::vector<SequenceRows> sequences;
    const BatchDropout& dropout;
    Taps& taps;
    absl::FunctionRef<void()> between;
  };

  // Copies loaded values to the device, if need be, and records the copy, so that Uses can compare it with the file.
  at::Tensor Place(absl::Span<const float> values, at::IntArrayRef shape);
  LayerNorm Place(const LayerNormWeights& weights);
  std::unique_ptr<const Linear> Prepare(const Conv1DWeights& weights, int64_t in, int64_t out);

  at::Tensor Embed(const BatchRows& rows, const Pass& pass) const;
  // These return an undefined tensor when no member of the batch reaches their result.
  at::Tensor RunBlock(int layer, const at::Tensor& x, const Pass& pass) const;
  Delta Attention(int layer, const at::Tensor& normed, const HeadInputs& heads, const Pass& pass) const;
  at::Tensor QueryKeyValue(int layer, const at::Tensor& normed, const HeadInputs& heads, Taps& taps) const;
  at::Tensor MixHeads(int layer, const QueriesKeysValues& qkv, const Pass& pass) const;
  void GiveResults(int layer, const at::Tensor& z, Taps& taps) const;
  Delta Mlp(int layer, const at::Tensor& normed, const Pass& pass) const;
  at::Tensor Inner(int layer, const at::Tensor& normed, Taps& taps) const;
  at::Tensor Norm(const LayerNorm& norm, const at::Tensor& x, NormPoints points, Taps& taps) const;
  void Final(const at::Tensor& x, Taps& taps) const;
  at::Tensor Apply(const LayerNorm& norm, const at::Tensor& x) const;
  double ScoreScale(int layer) const;

  Gpt2Config config_;
  std::unique_ptr<const Kernels> kernels_;
  Gpt2Weights loaded_;
  // For each loaded array, by its address, a function that returns the used values in the host's memory.
  std::map<const float*, std::function<at::Tensor()>> used_;
  at::Tensor wte_;  // [V, d]
  at::Tensor wpe_;  // [P, d]
  std::vector<Block> h_;
  LayerNorm ln_f_;
  at::Tensor lm_head_;  // [V, d]
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_GPT2_GPT2_H_
