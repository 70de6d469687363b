#include "server/model/gpt2_engine.h"

#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/model/cpu_kernels.h"
#include "server/model/reference.h"

namespace hydrophone {
namespace {

// libtorch throws; nothing above this layer does.
template <typename Work>
absl::Status CatchingLibtorch(Work work) {
  try {
    work();
    return absl::OkStatus();
  } catch (const c10::Error& error) {
    return absl::InternalError(absl::StrCat("libtorch: ", error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    return absl::InternalError("out of memory in the forward pass");
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("the forward pass failed: ", error.what()));
  }
}

// Looks, inside the forward pass, whether libtorch would record a gradient graph.
class WarmUpSink final : public CaptureSink {
 public:
  void OnCapture(size_t, TensorView) override { inference_mode = c10::InferenceMode::is_enabled(); }
  bool Stopped() const override { return false; }

  bool inference_mode = false;
};

}  // namespace

Gpt2Engine::Gpt2Engine(Gpt2Checkpoint checkpoint, ModelInfo model, const ProbeResult& probe, int threads,
                       bool share_prefixes)
    : checkpoint_(std::move(checkpoint)),
      model_(std::move(model)),
      gpt2_(checkpoint_.config, checkpoint_.weights, std::make_unique<CpuKernels>(probe.blocking)),
      share_prefixes_(share_prefixes && probe.batch_independent) {
  compute_.numerics = NumericsString(probe);
  compute_.batch_independent = probe.batch_independent;
  compute_.threads = threads;
  compute_.libtorch_version = TORCH_VERSION;
}

// OpenMP keeps the number of threads for each calling thread of its own.
void Gpt2Engine::UseThreads() const {
  thread_local int configured = 0;
  if (configured == compute_.threads) return;
  at::set_num_threads(compute_.threads);
  configured = compute_.threads;
}

absl::Status Gpt2Engine::WarmUp() {
  Plan plan;
  plan.runs.push_back({0, {0}});
  plan.first_token = {0, 1};
  Capture last;
  last.point = {Site::kHiddenState, model_.n_layer};
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

absl::Status Gpt2Engine::Run(absl::Span<const BatchMember> batch) {
  return CatchingLibtorch([&] {
    c10::InferenceMode inference;
    UseThreads();
    BatchRows rows(batch, share_prefixes_);
    Taps taps(batch, rows, model_, gpt2_.FunctionsForTaps());
    gpt2_.Forward(rows, BatchDropout(batch, rows, checkpoint_.config), taps);
  });
}

absl::StatusOr<TensorView> Gpt2Engine::ApplyFinalLayerNorm(const TensorView& rows) const {
  TensorView normed;
  absl::Status status = CatchingLibtorch([&] {
    c10::InferenceMode inference;
    UseThreads();
    const at::Tensor x = at::from_blob(const_cast<std::byte*>(rows.data), rows.shape, at::kFloat);
    auto owner = std::make_shared<const at::Tensor>(gpt2_.FinalLayerNorm(x));
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
  return WeightsAudit{std::move(audit->file_sha256), std::move(audit->differing_parameters)};
}

}  // namespace hydrophone
