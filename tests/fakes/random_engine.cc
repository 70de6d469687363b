#include "tests/fakes/random_engine.h"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "server/model/kernels/cpu/cpu_kernels.h"
#include "tests/fakes/random_gpt2.h"

namespace hydrophone {

Gpt2Engine MakeEngine(const Gpt2Config& config, int threads, Metrics* metrics) {
  ComputeInfo compute;
  compute.threads = threads;
  compute.batch_independent = true;
  return MakeEngine(config, std::make_unique<CpuKernels>(), compute, metrics);
}

Gpt2Engine MakeEngine(const Gpt2Config& config, std::unique_ptr<const Kernels> kernels, const ComputeInfo& compute,
                      Metrics* metrics) {
  Gpt2Checkpoint checkpoint = RandomCheckpoint(config, 1);
  auto gpt2 = std::make_unique<Gpt2>(config, checkpoint.weights, std::move(kernels));
  return Gpt2Engine(std::move(checkpoint), InfoOf(config), std::move(gpt2), compute, /*share_prefixes=*/true, metrics);
}

std::vector<HookPoint> AllPoints(const Gpt2Config& config) {
  std::vector<HookPoint> points;
  for (const HookPointInfo& info : HookPoints()) {
    if (info.layers == LayerKind::kNone) points.push_back(info.At(-1));
    const int layers =
        info.layers == LayerKind::kNone ? 0 : config.n_layer + (info.layers == LayerKind::kStates ? 1 : 0);
    for (int layer = 0; layer < layers; ++layer) points.push_back(info.At(layer));
  }
  return points;
}

std::vector<Values> RunAlone(Gpt2Engine& engine, const Plan& plan) {
  CollectingSink sink;
  const BatchMember member{&plan, &sink};
  EXPECT_EQ(absl::OkStatus(), engine.Run({&member, 1}));
  std::vector<Values> values;
  for (size_t i = 0; i < plan.captures.size(); ++i) values.push_back(sink.values(i));
  return values;
}

bool SameBits(const Values& a, const Values& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace hydrophone
