// A loaded checkpoint's parameters under the names of Hugging Face's state dict.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_GPT2_STATE_DICT_H_
#define HYDROPHONE_SERVER_CHECKPOINT_GPT2_STATE_DICT_H_

#include <vector>

#include "server/checkpoint/gpt2_checkpoint.h"
#include "server/core/parameter.h"

namespace hydrophone {

// Every parameter, in the order of a forward pass, lm_head.weight last, also when it is tied. The views share the
// checkpoint's memory and keep it alive.
std::vector<Parameter> StateDictOf(const Gpt2Checkpoint& checkpoint);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_GPT2_STATE_DICT_H_
