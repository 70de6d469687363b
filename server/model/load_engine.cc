#include "server/model/load_engine.h"

#include <c10/core/DeviceGuard.h>
#include <torch/headeronly/version.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/checkpoint/gpt2_checkpoint.h"
#include "server/model/device.h"
#include "server/model/gpt2_engine.h"
#include "server/model/libtorch_errors.h"
#include "server/model/numerics.h"
#include "server/model/probe_kernels.h"
#include "server/model/torch_attention.h"
#include "server/model/torch_kernels.h"

namespace hydrophone {
namespace {

std::unique_ptr<Gpt2Engine> OnCpu(Gpt2Checkpoint checkpoint, ModelInfo model, int threads, bool share_prefixes) {
  const ProbeResult probe = ProbeProductsOf(checkpoint.config, threads);
  return std::make_unique<Gpt2Engine>(std::move(checkpoint), std::move(model), probe, threads, share_prefixes);
}

// `gpu`: its part of the numerics string. Fixed shapes where they keep bits; else there is nothing to gain from them.
std::unique_ptr<Gpt2Engine> OnGpu(Gpt2Checkpoint checkpoint, ModelInfo model, c10::Device device, const std::string& gpu,
                                  int threads, bool share_prefixes) {
  const c10::DeviceGuard current(device);
  auto kernels = std::make_unique<const TorchKernels>(device, ProductShapes::kFixed);
  ComputeInfo compute;
  compute.threads = threads;
  compute.batch_independent = KeepsBits(*kernels, checkpoint.config);
  if (!compute.batch_independent) kernels = std::make_unique<const TorchKernels>(device, ProductShapes::kAsTheyCome);
  const std::string shapes =
      compute.batch_independent ? absl::StrCat(kProductRows, ";product_columns=", kProductColumns) : "any";
  compute.numerics = absl::StrCat(gpu, ";libtorch=", TORCH_VERSION, ";product_rows=", shapes,
                                  ";attention_block=", kTorchAttentionBlock);
  return std::make_unique<Gpt2Engine>(std::move(checkpoint), std::move(model), std::move(kernels), std::move(compute),
                                      share_prefixes);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> LoadEngine(const std::string& directory, const EngineOptions& options) {
  absl::StatusOr<c10::Device> device = ParseDevice(options.device);
  if (!device.ok()) return device.status();
  absl::StatusOr<std::string> gpu = "";
  if (!device->is_cpu()) gpu = OpenCudaDevice(*device);
  if (!gpu.ok()) return gpu.status();

  absl::StatusOr<Gpt2Checkpoint> checkpoint = LoadGpt2Checkpoint(directory, {.copy = options.copy_weights});
  if (!checkpoint.ok()) return checkpoint.status();
  const int threads = options.threads > 0 ? options.threads : ThreadsFromCpuQuota();
  ModelInfo model = DescribeModel(*checkpoint);
  model.tokenizer_sha256 = options.tokenizer_sha256;
  std::unique_ptr<Gpt2Engine> engine;
  absl::Status made = CatchingLibtorch([&] {
    engine = device->is_cpu() ? OnCpu(*std::move(checkpoint), std::move(model), threads, options.share_prefixes)
                              : OnGpu(*std::move(checkpoint), std::move(model), *device, *gpu, threads, options.share_prefixes);
  });
  if (!made.ok()) return made;
  if (absl::Status warm = engine->WarmUp(); !warm.ok()) return warm;
  return engine;
}

}  // namespace hydrophone
