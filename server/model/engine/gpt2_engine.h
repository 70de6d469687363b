// The Engine over Gpt2: batches in, captures out; libtorch's exceptions become statuses here.
#ifndef HYDROPHONE_SERVER_MODEL_ENGINE_GPT2_ENGINE_H_
#define HYDROPHONE_SERVER_MODEL_ENGINE_GPT2_ENGINE_H_

#include <functional>
#include <memory>
#include <vector>

#include "server/checkpoint/gpt2_checkpoint.h"
#include "server/checkpoint/gpt2_state_dict.h"
#include "server/core/engine.h"
#include "server/core/metrics.h"
#include "server/model/gpt2/gpt2.h"

namespace hydrophone {

class Gpt2Engine final : public Engine {
 public:
  // `gpt2` was made of the checkpoint's weights. `compute` says what is known of its kernels; its device and
  // libtorch_version are filled in here. With `share_prefixes`, runs of a batch that begin with the same tokens are
  // computed once up to the first token that differs, which changes no bit: it is done only when
  // compute.batch_independent says that a row's bits do not depend on its neighbours. `metrics`, if not null, is told
  // how much that saves, and outlives the engine.
  Gpt2Engine(Gpt2Checkpoint checkpoint, ModelInfo model, std::unique_ptr<const Gpt2> gpt2, ComputeInfo compute,
             bool share_prefixes = true, Metrics* metrics = nullptr);

  // Runs a short sequence, so that the first request does not pay for libtorch's first calls, and completes compute().
  absl::Status WarmUp();

  const ModelInfo& model() const override { return model_; }
  const ComputeInfo& compute() const override { return compute_; }
  std::vector<Parameter> Parameters() const override { return StateDictOf(checkpoint_); }
  using Engine::Run;
  absl::Status Run(absl::Span<const BatchMember> batch, absl::FunctionRef<void()> between) override;
  absl::StatusOr<TensorView> ApplyFinalLayerNorm(const TensorView& rows) const override;
  absl::Status RunReference(absl::Span<const uint32_t> token_ids, const ReferenceSink& sink,
                            const std::function<bool()>& stopped) const override;
  // Compares the file with the weights as the forward pass uses them, and with those that the reference reads.
  absl::StatusOr<WeightsAudit> AuditWeights() const override;

 private:
  Gpt2Checkpoint checkpoint_;
  ModelInfo model_;
  ComputeInfo compute_;
  std::unique_ptr<const Gpt2> gpt2_;
  const bool share_prefixes_;
  Metrics* const metrics_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_ENGINE_GPT2_ENGINE_H_
