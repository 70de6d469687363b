#include "server/model/engine/gpt2_engine.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "server/checkpoint/gpt2_parameters.h"
#include "server/model/device/stream_copier.h"
#include "server/model/gpt2/reference.h"
#include "server/model/libtorch/libtorch_errors.h"
#include "server/model/libtorch/parallel.h"
#include "server/model/libtorch/transfers.h"

namespace hydrophone {
namespace {

// Notes whether libtorch would record a gradient graph inside the forward pass.
class WarmUpSink final : public CaptureSink {
 public:
  void OnCapture(size_t, TensorView) override { inference_mode = c10::InferenceMode::is_enabled(); }
  bool Stopped() const override { return false; }

  bool inference_mode = false;
};

}  // namespace

Gpt2Engine::Gpt2Engine(Gpt2Checkpoint checkpoint, ModelInfo model, std::unique_ptr<const Gpt2> gpt2,
                       ComputeInfo compute, bool share_prefixes, Metrics* metrics)
    : checkpoint_(std::move(checkpoint)),
      model_(std::move(model)),
      compute_(std::move(compute)),
      gpt2_(std::move(gpt2)),
      share_prefixes_(share_prefixes && compute_.batch_independent),
      metrics_(metrics) {
  compute_.device = gpt2_->device().str();
  compute_.libtorch_version = TORCH_VERSION;
  SetThreads(compute_.threads);
}

absl::Status Gpt2Engine::WarmUp() {
  Plan plan;
  plan.runs.push_back({0, {0}});
  plan.first_token = {0, 1};
  Capture last;
  last.point = FinalStatePoint(model_);
  last.runs = {0};
  last.rows_per_run = {1};
  last.row_count = 1;
  last.row_shape = {model_.n_embd};
  plan.captures.push_back(last);
  WarmUpSink sink;
  const BatchMember member{&plan, &sink};
  absl::Status status = Run({&member, 1});
  compute_.inference_mode = sink.inference_mode;
  return status;
}

absl::Status Gpt2Engine::Run(absl::Span<const BatchMember> batch, absl::FunctionRef<void()> between) {
  return CatchingLibtorch([&] {
    c10::InferenceMode inference;
    KeepLibtorchOnThisThread();
    const c10::DeviceGuard current(gpt2_->device());
    BatchRows rows(batch, share_prefixes_);
    if (metrics_ != nullptr) metrics_->PrefixTokensSaved(rows.shared());
    TapFunctions functions = gpt2_->FunctionsForTaps();
    std::optional<HostCopies> copies;
    if (!gpt2_->device().is_cpu()) functions.copies = &copies.emplace(std::make_unique<StreamCopier>(gpt2_->device()));
    Taps taps(batch, rows, model_, std::move(functions));
    gpt2_->Forward(rows, BatchDropout(batch, rows, DropoutOf(checkpoint_.config)), taps, between);
    taps.Finish();
  });
}

absl::StatusOr<TensorView> Gpt2Engine::ApplyFinalLayerNorm(const TensorView& rows) const {
  TensorView normed;
  absl::Status status = CatchingLibtorch([&] {
    c10::InferenceMode inference;
    KeepLibtorchOnThisThread();
    const c10::DeviceGuard current(gpt2_->device());
    const at::Tensor x = at::from_blob(const_cast<std::byte*>(rows.data), rows.shape, at::kFloat);
    auto owner = std::make_shared<const at::Tensor>(ToHost(gpt2_->FinalLayerNorm(ToDevice(x, gpt2_->device()))));
    normed.shape = rows.shape;
    normed.data = static_cast<const std::byte*>(owner->const_data_ptr());
    normed.owner = std::move(owner);
  });
  if (!status.ok()) return status;
  return normed;
}

absl::Status Gpt2Engine::RunReference(absl::Span<const uint32_t> token_ids, const ReferenceSink& sink,
                                      const std::function<bool()>& stopped) const {
  return RunGpt2Reference(checkpoint_.config, checkpoint_.weights, token_ids, sink, stopped);
}

absl::StatusOr<WeightsAudit> Gpt2Engine::AuditWeights() const {
  absl::StatusOr<CheckpointAudit> audit = AuditGpt2Checkpoint(checkpoint_);
  if (!audit.ok()) return audit.status();
  std::vector<std::string>& differing = audit->differing_parameters;
  Gpt2Weights weights = checkpoint_.weights;  // Gpt2Parameters takes weights that it could fill; these are only read
  const absl::Status looked = CatchingLibtorch([&] {
    for (const Gpt2Parameter& parameter :
         Gpt2Parameters(checkpoint_.config, !checkpoint_.config.tie_word_embeddings, weights)) {
      const bool known = std::find(differing.begin(), differing.end(), parameter.name) != differing.end();
      if (!known && !gpt2_->Uses(*parameter.values)) differing.push_back(parameter.name);
    }
  });
  if (!looked.ok()) return looked;
  return WeightsAudit{std::move(audit->file_sha256), std::move(differing)};
}

}  // namespace hydrophone
