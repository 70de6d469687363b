#include "server/model/engine/load_engine.h"

#include <c10/core/DeviceGuard.h>
#include <torch/headeronly/version.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/checkpoint/gpt2_checkpoint.h"
#include "server/container/cpu_quota.h"
#include "server/model/device/device.h"
#include "server/model/engine/gpt2_engine.h"
#include "server/model/engine/numerics.h"
#include "server/model/engine/probe_kernels.h"
#include "server/model/gpt2/gpt2.h"
#include "server/model/kernels/cpu/cpu_kernels.h"
#include "server/model/kernels/torch/torch_attention.h"
#include "server/model/kernels/torch/torch_kernels.h"
#include "server/model/libtorch/libtorch_errors.h"
#include "server/model/libtorch/parallel.h"

namespace hydrophone {
namespace {

// The kernels that compute a model of some configuration, and what the probe found of them.
struct Probed {
  std::unique_ptr<const Kernels> kernels;
  bool batch_independent = false;
  std::string numerics;
};

// The CPU has one kind of kernels, so the probe only checks that they keep bits.
Probed ProbeCpu(const Gpt2Config& config) {
  auto kernels = std::make_unique<CpuKernels>();
  const bool keeps_bits = KeepsBits(*kernels, config, ProbeSizeForCpu());
  return {std::move(kernels), keeps_bits, CpuNumerics()};
}

// `gpu` is the GPU's part of the numerics string. Products have fixed shapes if these keep bits, and any shape
// otherwise, because fixed shapes cost time.
Probed ProbeGpu(const Gpt2Config& config, c10::Device device, const std::string& gpu) {
  const c10::DeviceGuard current(device);
  auto kernels = std::make_unique<TorchKernels>(device, ProductShapes::kFixed);
  const bool keeps_bits = KeepsBits(*kernels, config, ProbeSizeForLibraries());
  if (!keeps_bits) kernels = std::make_unique<TorchKernels>(device, ProductShapes::kAsTheyCome);
  const std::string shapes = keeps_bits ? absl::StrCat(kProductRows, ";product_columns=", kProductColumns) : "any";
  std::string numerics = absl::StrCat(gpu, ";libtorch=", TORCH_VERSION, ";product_rows=", shapes,
                                      ";attention_block=", kTorchAttentionBlock);
  return {std::move(kernels), keeps_bits, std::move(numerics)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> LoadEngine(const std::string& directory, const EngineOptions& options) {
  const absl::StatusOr<c10::Device> device = ParseDevice(options.device);
  if (!device.ok()) return device.status();
  absl::StatusOr<std::string> gpu = "";
  if (!device->is_cpu()) gpu = OpenCudaDevice(*device);
  if (!gpu.ok()) return gpu.status();

  const int threads = options.threads > 0 ? options.threads : ThreadsFromCpuQuota();
  std::unique_ptr<const Gpt2> gpt2;
  ComputeInfo compute;
  compute.threads = threads;
  absl::Status preparing;
  LoadOptions loading;
  loading.copy = options.copy_weights;
  loading.meanwhile = [&](const Gpt2Checkpoint& loaded) {
    preparing = CatchingLibtorch([&] {
      KeepLibtorchOnThisThread();
      SetThreads(threads);
      SetAwake(options.awake);
      Probed probed = device->is_cpu() ? ProbeCpu(loaded.config) : ProbeGpu(loaded.config, *device, *gpu);
      compute.batch_independent = probed.batch_independent;
      compute.numerics = std::move(probed.numerics);
      if (device->is_cpu()) compute.instruction_set = std::string(CpuInstructionSet());
      gpt2 = std::make_unique<Gpt2>(loaded.config, loaded.weights, std::move(probed.kernels));
    });
  };
  absl::StatusOr<Gpt2Checkpoint> checkpoint = LoadGpt2Checkpoint(directory, loading);
  if (!checkpoint.ok()) return checkpoint.status();
  if (!preparing.ok()) return preparing;

  ModelInfo model = DescribeModel(*checkpoint);
  model.tokenizer_sha256 = options.tokenizer_sha256;
  model.loading_notes.insert(model.loading_notes.end(), options.tokenizer_notes.begin(), options.tokenizer_notes.end());
  if (!options.model_name.empty()) model.name = options.model_name;
  auto engine = std::make_unique<Gpt2Engine>(*std::move(checkpoint), std::move(model), std::move(gpt2),
                                             std::move(compute), options.share_prefixes, options.metrics);
  if (absl::Status warm = engine->WarmUp(); !warm.ok()) return warm;
  return engine;
}

}  // namespace hydrophone
