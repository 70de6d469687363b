// The Engine over Gpt2: batches in, captures out, and the model's door for libtorch's exceptions.
#ifndef HYDROPHONE_SERVER_MODEL_ENGINE_GPT2_ENGINE_H_
#define HYDROPHONE_SERVER_MODEL_ENGINE_GPT2_ENGINE_H_

#include <functional>
#include <memory>

#include "server/checkpoint/gpt2_checkpoint.h"
#include "server/core/engine.h"
#include "server/model/gpt2/gpt2.h"

namespace hydrophone {

class Gpt2Engine final : public Engine {
 public:
  // `gpt2` was made of the checkpoint's weights. `compute` says what is known of its kernels; its device and
  // libtorch_version are filled in here. With `share_prefixes`, runs of a batch that begin with the same tokens are
  // computed once up to where they part: where a row's bits do not depend on its neighbours, and with the same bits as
  // without.
  Gpt2Engine(Gpt2Checkpoint checkpoint, ModelInfo model, std::unique_ptr<const Gpt2> gpt2, ComputeInfo compute,
             bool share_prefixes = true);

  // Runs a short sequence, so that the first request does not pay for libtorch's first calls, and completes compute().
  absl::Status WarmUp();

  const ModelInfo& model() const override { return model_; }
  const ComputeInfo& compute() const override { return compute_; }
  absl::Status Run(absl::Span<const BatchMember> batch) override;
  absl::StatusOr<TensorView> ApplyFinalLayerNorm(const TensorView& rows) const override;
  absl::Status RunReference(absl::Span<const uint32_t> token_ids, const ReferenceSink& sink,
                            const std::function<bool()>& stopped) const override;
  // Looks at the weights as the forward pass uses them, and at those of the reference.
  absl::StatusOr<WeightsAudit> AuditWeights() const override;

 private:
  void UseThreads() const;

  Gpt2Checkpoint checkpoint_;
  ModelInfo model_;
  ComputeInfo compute_;
  std::unique_ptr<const Gpt2> gpt2_;
  const bool share_prefixes_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_ENGINE_GPT2_ENGINE_H_
