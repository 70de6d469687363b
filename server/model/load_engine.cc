#include "server/model/load_engine.h"

#include <utility>

#include "server/checkpoint/gpt2_checkpoint.h"
#include "server/model/gpt2_engine.h"
#include "server/model/numerics.h"

namespace hydrophone {

absl::StatusOr<std::unique_ptr<Engine>> LoadEngine(const std::string& directory, const EngineOptions& options) {
  const int threads = options.threads > 0 ? options.threads : ThreadsFromCpuQuota();
  ProbeResult probe;
  LoadOptions loading;
  loading.copy = options.copy_weights;
  loading.meanwhile = [&](const Gpt2Config& config) { probe = ProbeProductsOf(config, threads); };
  absl::StatusOr<Gpt2Checkpoint> checkpoint = LoadGpt2Checkpoint(directory, loading);
  if (!checkpoint.ok()) return checkpoint.status();

  ModelInfo model = DescribeModel(*checkpoint);
  model.tokenizer_sha256 = options.tokenizer_sha256;
  auto engine = std::make_unique<Gpt2Engine>(*std::move(checkpoint), std::move(model), probe, threads,
                                             options.share_prefixes);
  if (absl::Status warm = engine->WarmUp(); !warm.ok()) return warm;
  return engine;
}

}  // namespace hydrophone
