#include "server/model/load_engine.h"

#include <algorithm>
#include <utility>

#include "server/checkpoint/gpt2_checkpoint.h"
#include "server/model/gpt2_engine.h"
#include "server/model/numerics.h"

namespace hydrophone {
namespace {

ModelInfo DescribeModel(const Gpt2Checkpoint& checkpoint, std::string tokenizer_sha256) {
  const Gpt2Config& config = checkpoint.config;
  ModelInfo info;
  info.name = checkpoint.name;
  info.architecture = "gpt2";
  info.n_layer = config.n_layer;
  info.n_embd = config.n_embd;
  info.n_head = config.n_head;
  info.n_inner = config.n_inner;
  info.n_positions = config.n_positions;
  info.vocab_size = config.vocab_size;
  info.parameters = checkpoint.parameters;
  info.activation_function = checkpoint.activation_function;
  info.layer_norm_epsilon = config.layer_norm_epsilon;
  info.tie_word_embeddings = config.tie_word_embeddings;
  info.weights_sha256 = checkpoint.weights_sha256;
  info.weights_dtype = checkpoint.weights_dtype;
  info.tokenizer_sha256 = std::move(tokenizer_sha256);
  return info;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> LoadEngine(const std::string& directory, const EngineOptions& options) {
  absl::StatusOr<Gpt2Checkpoint> checkpoint = LoadGpt2Checkpoint(directory, {.copy = options.copy_weights});
  if (!checkpoint.ok()) return checkpoint.status();
  const int threads = options.threads > 0 ? options.threads : ThreadsFromCpuQuota();
  const ProbeResult probe = ProbeProductsOf(checkpoint->config, threads);

  ModelInfo model = DescribeModel(*checkpoint, options.tokenizer_sha256);
  auto engine = std::make_unique<Gpt2Engine>(*std::move(checkpoint), std::move(model), probe, threads,
                                             options.share_prefixes);
  if (absl::Status warm = engine->WarmUp(); !warm.ok()) return warm;
  return engine;
}

}  // namespace hydrophone
