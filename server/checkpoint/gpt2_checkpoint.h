// A GPT-2 checkpoint directory as Hugging Face writes it.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_GPT2_CHECKPOINT_H_
#define HYDROPHONE_SERVER_CHECKPOINT_GPT2_CHECKPOINT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/checkpoint/gpt2_config.h"
#include "server/checkpoint/gpt2_weights.h"

namespace hydrophone {

struct LoadOptions {
  // Copies float32 weights instead of using the mapped file in place. A mapped file that somebody cuts short under a running
  // server ends the process with SIGBUS; a copied one cannot.
  bool copy = false;
};

struct Gpt2Checkpoint {
  std::string directory;
  std::string name;  // the directory's last component
  Gpt2Config config;
  std::string activation_function;  // as config.json spells it
  Gpt2Weights weights;
  int64_t parameters = 0;     // a tied lm_head counts once
  std::string weights_dtype;  // "float32", "float16", "bfloat16", joined by "+" when mixed
  std::string weights_sha256;
};

// Loads config.json and model.safetensors, or model.safetensors.index.json and its shards. One error names every missing, extra or
// misshapen tensor, with got and expected. NOT_FOUND, INVALID_ARGUMENT or DATA_LOSS (damaged file).
absl::StatusOr<Gpt2Checkpoint> LoadGpt2Checkpoint(const std::string& directory, const LoadOptions& options = {});

// Reads the files again, apart from what is in memory, and names the parameters that differ to the bit.
struct CheckpointAudit {
  std::string file_sha256;
  std::vector<std::string> differing_parameters;
};
absl::StatusOr<CheckpointAudit> AuditGpt2Checkpoint(const Gpt2Checkpoint& checkpoint);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_GPT2_CHECKPOINT_H_
