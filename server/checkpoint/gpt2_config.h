// GPT-2's configuration: the fields of config.json that change the arithmetic.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_GPT2_CONFIG_H_
#define HYDROPHONE_SERVER_CHECKPOINT_GPT2_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/core/activation.h"

namespace hydrophone {

// Hugging Face's names and defaults (transformers, configuration_gpt2.py).
struct Gpt2Config {
  int n_layer = 12;
  int n_embd = 768;
  int n_head = 12;
  int n_inner = 3072;  // config.json's n_inner, or 4 n_embd when that is null
  int n_positions = 1024;
  int vocab_size = 50257;
  Activation activation = Activation::kGeluNew;
  std::string activation_function = "gelu_new";  // as config.json spells it
  double layer_norm_epsilon = 1e-5;
  bool scale_attn_weights = true;                // scores / sqrt(d/H)
  bool scale_attn_by_inverse_layer_idx = false;  // scores / (layer + 1) besides
  bool reorder_and_upcast_attn = false;  // float32 scores scaled before the product: the same, computing in float32
  bool tie_word_embeddings = true;
  double embd_pdrop = 0.1;  // dropout probabilities: train mode only
  double attn_pdrop = 0.1;
  double resid_pdrop = 0.1;
  std::vector<uint32_t> eos_token_ids = {50256};  // after which a continuation ends

  int d_head() const { return n_embd / n_head; }
};

// Reads config.json's text; a field that is absent has Hugging Face's default, but model_type must be there.
// INVALID_ARGUMENT, with one message that names every field that is of the wrong type, out of range, or asks for
// arithmetic that this server does not do (cross attention, another model_type, an unknown activation, ...), each with
// got and expected. gpt2_config.cc lists which fields are done, which are refused, and why the others have no effect.
absl::StatusOr<Gpt2Config> ParseGpt2Config(absl::string_view json);

// Reads the eos_token_id of generation_config.json's text: a number, a list of them, or none. INVALID_ARGUMENT
// otherwise.
absl::StatusOr<std::vector<uint32_t>> ParseGenerationConfig(absl::string_view json);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_GPT2_CONFIG_H_
