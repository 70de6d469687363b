#include "server/model/load_engine.h"

#include <c10/core/DeviceGuard.h>
#include <torch/headeronly/version.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/checkpoint/gpt2_checkpoint.h"
#include "server/model/cpu_kernels.h"
#include "server/model/device.h"
#include "server/model/gpt2_engine.h"
#include "server/model/libtorch_errors.h"
#include "server/model/numerics.h"
#include "server/model/probe_kernels.h"
#include "server/model/torch_attention.h"
#include "server/model/torch_kernels.h"

namespace hydrophone {
namespace {

// The kernels that a model of some configuration is computed with, and what the probe found about them.
struct Probed {
  std::unique_ptr<const Kernels> kernels;
  ComputeInfo compute;
};

Probed ProbeCpu(const Gpt2Config& config, int threads) {
  const ProbeResult probe = ProbeProductsOf(config, threads);
  Probed probed{std::make_unique<CpuKernels>(probe.blocking), {}};
  probed.compute.batch_independent = probe.batch_independent;
  probed.compute.numerics = NumericsString(probe);
  return probed;
}

// `gpu`: its part of the numerics string. Fixed shapes where they keep bits; else there is nothing to gain from them.
Probed ProbeGpu(const Gpt2Config& config, c10::Device device, const std::string& gpu) {
  const c10::DeviceGuard current(device);
  Probed probed{std::make_unique<TorchKernels>(device, ProductShapes::kFixed), {}};
  const bool keeps_bits = KeepsBits(*probed.kernels, config);
  if (!keeps_bits) probed.kernels = std::make_unique<TorchKernels>(device, ProductShapes::kAsTheyCome);
  const std::string shapes = keeps_bits ? absl::StrCat(kProductRows, ";product_columns=", kProductColumns) : "any";
  probed.compute.batch_independent = keeps_bits;
  probed.compute.numerics = absl::StrCat(gpu, ";libtorch=", TORCH_VERSION, ";product_rows=", shapes,
                                         ";attention_block=", kTorchAttentionBlock);
  return probed;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> LoadEngine(const std::string& directory, const EngineOptions& options) {
  const absl::StatusOr<c10::Device> device = ParseDevice(options.device);
  if (!device.ok()) return device.status();
  absl::StatusOr<std::string> gpu = "";
  if (!device->is_cpu()) gpu = OpenCudaDevice(*device);
  if (!gpu.ok()) return gpu.status();

  const int threads = options.threads > 0 ? options.threads : ThreadsFromCpuQuota();
  Probed probed;
  absl::Status probing;
  LoadOptions loading;
  loading.copy = options.copy_weights;
  loading.meanwhile = [&](const Gpt2Config& config) {
    probing = CatchingLibtorch(
        [&] { probed = device->is_cpu() ? ProbeCpu(config, threads) : ProbeGpu(config, *device, *gpu); });
  };
  absl::StatusOr<Gpt2Checkpoint> checkpoint = LoadGpt2Checkpoint(directory, loading);
  if (!checkpoint.ok()) return checkpoint.status();
  if (!probing.ok()) return probing;

  ModelInfo model = DescribeModel(*checkpoint);
  model.tokenizer_sha256 = options.tokenizer_sha256;
  probed.compute.threads = threads;
  std::unique_ptr<Gpt2Engine> engine;
  absl::Status made = CatchingLibtorch([&] {
    engine = std::make_unique<Gpt2Engine>(*std::move(checkpoint), std::move(model), std::move(probed.kernels),
                                          std::move(probed.compute), options.share_prefixes);
  });
  if (!made.ok()) return made;
  if (absl::Status warm = engine->WarmUp(); !warm.ok()) return warm;
  return engine;
}

}  // namespace hydrophone
