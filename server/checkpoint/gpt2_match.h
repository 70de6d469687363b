// Whether the tensors of a checkpoint's files are the parameters that its config asks for.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_GPT2_MATCH_H_
#define HYDROPHONE_SERVER_CHECKPOINT_GPT2_MATCH_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/checkpoint/gpt2_parameters.h"
#include "server/checkpoint/weight_files.h"

namespace hydrophone {

// For a model whose embeddings are tied: where the files hold lm_head.weight alone, it is wte.weight too.
void LetLmHeadBeTheEmbedding(WeightFiles& files);

// Whether the stored tensor can be this parameter's value: its shape, and a StoredType.
bool Fits(const Gpt2Parameter& parameter, const SafetensorsTensor& tensor);

// OK when the files hold every parameter in a fitting form, and nothing else. Otherwise INVALID_ARGUMENT with one
// message that names the missing, the extra and the misshapen ones, the last with got and expected.
absl::Status CheckTensors(absl::Span<const Gpt2Parameter> parameters, const WeightFiles& files);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_GPT2_MATCH_H_
