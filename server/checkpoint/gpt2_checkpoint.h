// A GPT-2 checkpoint directory as Hugging Face writes it.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_GPT2_CHECKPOINT_H_
#define HYDROPHONE_SERVER_CHECKPOINT_GPT2_CHECKPOINT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/checkpoint/gpt2_config.h"
#include "server/checkpoint/gpt2_weights.h"
#include "server/core/model_info.h"

namespace hydrophone {

struct Gpt2Checkpoint;

struct LoadOptions {
  // Copies float32 weights instead of using the mapped file in place. A mapped file that is cut short under a running
  // server ends the process with SIGBUS; a copied one cannot.
  bool copy = false;

  // Called once, on the caller's thread, when everything but weights_sha256 is set, while another thread reads the
  // files for that, which takes the longest. May be null.
  std::function<void(const Gpt2Checkpoint& checkpoint)> meanwhile = nullptr;
};

struct Gpt2Checkpoint {
  std::string directory;            // as it was given
  std::string name;                 // the directory's last component
  Gpt2Config config;                // its tie_word_embeddings says whether lm_head is wte (see LoadGpt2Checkpoint)
  std::string activation_function;  // as config.json spells it
  Gpt2Weights weights;
  int64_t parameters = 0;      // a tied lm_head counts once
  std::string weights_dtype;   // "float32", "float16", "bfloat16", "float64", joined by "+" when mixed
  std::string weights_sha256;  // of the files' bytes, one after the other in the order of their names

  // What was done to make a GPT-2 of the files, a sentence each: a prefix left off all names, heads left out.
  std::vector<std::string> loading_notes;
};

// Loads config.json and model.safetensors, or model.safetensors.index.json and its shards. Float32 weights that lie at
// multiples of 4 bytes are used where they are; others are converted to float32 (see convert.h). Which names are taken
// and left out: tensor_names.h.
//
// The output embedding is done as transformers 5 does it. Untied: lm_head.weight must be there. Tied and not in the
// files, or equal to wte.weight to the bit: it is wte. Tied but in the files with other values: the files' values are
// used, and the model counts as untied. Tied, and the files have lm_head.weight but no wte.weight: it is that.
//
// One error names every missing, extra or misshapen tensor, with got and expected. NOT_FOUND (no config.json, no
// weights), INVALID_ARGUMENT (another model; weights only in pickle files), DATA_LOSS (damaged file),
// PERMISSION_DENIED, RESOURCE_EXHAUSTED.
absl::StatusOr<Gpt2Checkpoint> LoadGpt2Checkpoint(const std::string& directory, const LoadOptions& options = {});

// The checkpoint's part of ModelInfo; the tokenizer's digest is left empty.
ModelInfo DescribeModel(const Gpt2Checkpoint& checkpoint);

// Reads the files again, apart from what is in memory, and names the parameters that differ to the bit. Needs little
// memory of its own. Thread-safe. Errors as for loading, when the files are no longer there or no longer safetensors.
struct CheckpointAudit {
  std::string file_sha256;  // of the files as they are now; weights_sha256 is that of the loaded ones
  // In the order of a forward pass; also those that the files no longer hold.
  std::vector<std::string> differing_parameters;
};
absl::StatusOr<CheckpointAudit> AuditGpt2Checkpoint(const Gpt2Checkpoint& checkpoint);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_GPT2_CHECKPOINT_H_
