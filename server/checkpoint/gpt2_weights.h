// GPT-2's parameters as plain float32 arrays, under the checkpoint's own names.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_GPT2_WEIGHTS_H_
#define HYDROPHONE_SERVER_CHECKPOINT_GPT2_WEIGHTS_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/types/span.h"

namespace hydrophone {

// Row-major. d = n_embd, f = n_inner, V = vocab_size, P = n_positions.
struct LayerNormWeights {
  absl::Span<const float> weight;  // [d]
  absl::Span<const float> bias;    // [d]
};

// Hugging Face's Conv1D: y = x weight + bias, so weight is [in, out].
struct Conv1DWeights {
  absl::Span<const float> weight;  // [in, out]
  absl::Span<const float> bias;    // [out]
};

struct BlockWeights {
  LayerNormWeights ln_1;
  Conv1DWeights attn_c_attn;  // [d, 3d]: queries, keys, values side by side
  Conv1DWeights attn_c_proj;  // [d, d]
  LayerNormWeights ln_2;
  Conv1DWeights mlp_c_fc;    // [d, f]
  Conv1DWeights mlp_c_proj;  // [f, d]
};

struct Gpt2Weights {
  absl::Span<const float> wte;  // [V, d]
  absl::Span<const float> wpe;  // [P, d]
  std::vector<BlockWeights> h;
  LayerNormWeights ln_f;
  absl::Span<const float> lm_head;  // [V, d]; wte itself when tied

  // Keeps the memory of the arrays alive: the mapped files, and the arrays that were converted to float32.
  std::shared_ptr<const void> owner;

  // Gives the pages of one of the arrays, which has been copied elsewhere, back to the system if they are a mapped
  // file's; the system fills them again when they are read. Thread-safe. May be null.
  std::function<void(absl::Span<const float> array)> give_back;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_GPT2_WEIGHTS_H_
