// A parameter of the loaded model, as it is served.
#ifndef HYDROPHONE_SERVER_CORE_PARAMETER_H_
#define HYDROPHONE_SERVER_CORE_PARAMETER_H_

#include <string>

#include "server/core/tensor.h"

namespace hydrophone {

struct Parameter {
  std::string name;     // Hugging Face's, in the state dict of GPT2LMHeadModel: "transformer.h.3.ln_1.weight"
  int layer = -1;       // -1 outside the blocks
  std::string tied_to;  // the parameter whose memory this one shares; empty: its own
  TensorView values;    // float32, whole, in the host's memory; pages of a mapped file may have to be read first
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_PARAMETER_H_
