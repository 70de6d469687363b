#include "server/checkpoint/gpt2_state_dict.h"

#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/checkpoint/gpt2_parameters.h"

namespace hydrophone {
namespace {

constexpr char kLmHead[] = "lm_head.weight";

// "h.3.ln_1.weight" is of layer 3; other names are of none.
int LayerOf(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '.');
  int layer = -1;
  if (parts[0] != "h" || !absl::SimpleAtoi(parts[1], &layer)) return -1;
  return layer;
}

}  // namespace

std::vector<Parameter> StateDictOf(const Gpt2Checkpoint& checkpoint) {
  Gpt2Weights weights = checkpoint.weights;  // Gpt2Parameters takes weights that it could fill; these are only read
  std::vector<Parameter> parameters;
  for (const Gpt2Parameter& loaded : Gpt2Parameters(checkpoint.config, /*with_lm_head=*/true, weights)) {
    Parameter parameter;
    const bool head = loaded.name == kLmHead;
    parameter.name = head ? loaded.name : absl::StrCat("transformer.", loaded.name);
    parameter.layer = LayerOf(loaded.name);
    if (head && checkpoint.config.tie_word_embeddings) parameter.tied_to = parameters.front().name;
    parameter.values.shape = loaded.shape;
    parameter.values.data = reinterpret_cast<const std::byte*>(loaded.values->data());
    parameter.values.owner = weights.owner;
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

}  // namespace hydrophone
