// The names that a GPT-2's tensors have in people's files, and those that they have here.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_TENSOR_NAMES_H_
#define HYDROPHONE_SERVER_CHECKPOINT_TENSOR_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hydrophone {

// What wrappers of PyTorch put before all names of a saved model: "_orig_mod." (torch.compile), "module."
// (DataParallel), and several of them one after another; empty if a name lacks it.
std::string WrapperPrefix(absl::Span<const std::string> names);

// The name without the wrappers' prefix and without a leading "transformer.", which a file may have on some names and
// not on others.
std::string BareName(absl::string_view name, absl::string_view wrapper_prefix);

// Whether a bare name is a buffer, a constant that old versions of transformers saved with the weights: the causal mask
// "h.0.attn.bias" and its fill value.
bool IsOldBuffer(absl::string_view bare_name);

// Whether a bare name is of a head that another of Hugging Face's GPT-2 classes puts beside the model: for
// classification, question answering or multiple choice.
bool IsOtherHead(absl::string_view bare_name);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_TENSOR_NAMES_H_
