// The JSON files of a checkpoint: config.json, generation_config.json, and the index of its shards.
#include <cstddef>
#include <cstdint>

#include "absl/strings/match.h"
#include "server/checkpoint/gpt2_config.h"
#include "server/checkpoint/shard_index.h"
#include "tests/fuzz/require.h"

namespace hydrophone {
namespace {

void ReadConfig(absl::string_view json) {
  const absl::StatusOr<Gpt2Config> config = ParseGpt2Config(json);
  if (!config.ok()) return RequireGoodRefusal(config.status());
  Require(config->n_layer > 0 && config->n_embd > 0 && config->n_head > 0 && config->n_inner > 0 &&
              config->n_positions > 0 && config->vocab_size > 0,
          "sizes are positive");
  Require(config->d_head() * config->n_head == config->n_embd, "heads share the width evenly");
  for (const double p : {config->embd_pdrop, config->attn_pdrop, config->resid_pdrop}) {
    Require(p >= 0 && p <= 1, "a dropout is a probability");
  }
}

void ReadOthers(absl::string_view json) {
  const auto ids = ParseGenerationConfig(json);
  if (!ids.ok()) RequireGoodRefusal(ids.status());
  const auto index = ParseShardIndex(json);
  if (!index.ok()) return RequireGoodRefusal(index.status());
  for (const auto& [tensor, file] : *index) {
    Require(!absl::StrContains(file, '/') && absl::EndsWith(file, ".safetensors"), "a shard lies in the directory");
  }
}

}  // namespace
}  // namespace hydrophone

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view json(reinterpret_cast<const char*>(data), size);
  hydrophone::ReadConfig(json);
  hydrophone::ReadOthers(json);
  return 0;
}
