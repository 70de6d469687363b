// What the rest of the server knows about the loaded model and about how it computes.
#ifndef HYDROPHONE_SERVER_CORE_MODEL_INFO_H_
#define HYDROPHONE_SERVER_CORE_MODEL_INFO_H_

#include <cstdint>
#include <string>
#include <vector>

namespace hydrophone {

// Sizes and identity of the loaded checkpoint.
struct ModelInfo {
  std::string name;                 // the checkpoint directory's own name
  std::string architecture;         // "gpt2"
  int n_layer = 0;                  // blocks, N
  int n_embd = 0;                   // width of the residual stream, d
  int n_head = 0;                   // heads a block, H
  int n_inner = 0;                  // width of the MLP's inner layer, f
  int n_positions = 0;              // context length
  int vocab_size = 0;               // V
  int64_t parameters = 0;           // a tied lm_head counts once
  std::string activation_function;  // as the config names it
  double layer_norm_epsilon = 0;
  bool tie_word_embeddings = true;
  std::string weights_sha256;    // of the weight files' bytes in the order of their names
  std::string weights_dtype;     // of the file: "float32", "float16", "bfloat16", "float64", joined by "+"
  std::string tokenizer_sha256;  // see Tokenizer::sha256

  // What was done to make the model of its files, a sentence each; mostly nothing.
  std::vector<std::string> loading_notes;
  std::vector<uint32_t> eos_token_ids;  // each ends a continuation
};

// How numbers come about. Equal `numerics`, with equal weights, promise equal bits.
struct ComputeInfo {
  std::string dtype = "float32";
  std::string device = "cpu";
  std::string numerics;
  std::string instruction_set;     // of the CPU's products: no bit depends on it; empty on a GPU
  bool batch_independent = false;  // found by a probe at the start
  int threads = 1;                 // that one product may use
  bool inference_mode = false;     // found inside a forward pass: libtorch records no gradient graph
  std::string libtorch_version;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_MODEL_INFO_H_
