// The list of GPT-2's parameters: names as in a checkpoint, shapes, and where each has its place in Gpt2Weights.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_GPT2_PARAMETERS_H_
#define HYDROPHONE_SERVER_CHECKPOINT_GPT2_PARAMETERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "server/checkpoint/gpt2_config.h"
#include "server/checkpoint/gpt2_weights.h"

namespace hydrophone {

struct Gpt2Parameter {
  std::string name;  // without "transformer.": "h.0.attn.c_attn.weight"
  std::vector<int64_t> shape;
  absl::Span<const float>* values = nullptr;  // in the Gpt2Weights that the list was made for

  int64_t elements() const {
    int64_t product = 1;
    for (int64_t dimension : shape) product *= dimension;
    return product;
  }
};

// Every parameter of the model that `config` describes, in the order of a forward pass; lm_head.weight, last, if
// `with_lm_head`. Resizes weights.h to the number of blocks; the list points into `weights`.
std::vector<Gpt2Parameter> Gpt2Parameters(const Gpt2Config& config, bool with_lm_head, Gpt2Weights& weights);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_GPT2_PARAMETERS_H_
