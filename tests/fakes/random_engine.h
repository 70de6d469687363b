// Engines over random checkpoints, and functions that run plans on them.
#ifndef HYDROPHONE_TESTS_FAKES_RANDOM_ENGINE_H_
#define HYDROPHONE_TESTS_FAKES_RANDOM_ENGINE_H_

#include <memory>
#include <vector>

#include "server/model/engine/gpt2_engine.h"

namespace hydrophone {

using Values = std::vector<float>;

// An engine that computes on the CPU, over the random checkpoint of seed 1.
Gpt2Engine MakeEngine(const Gpt2Config& config, int threads, Metrics* metrics = nullptr);

// The same with any kernels; `compute` is what the engine says of itself.
Gpt2Engine MakeEngine(const Gpt2Config& config, std::unique_ptr<const Kernels> kernels, const ComputeInfo& compute,
                      Metrics* metrics = nullptr);

// Every point that can be captured, at every layer.
std::vector<HookPoint> AllPoints(const Gpt2Config& config);

// Runs a plan alone in its batch and returns the values of its captures.
std::vector<Values> RunAlone(Gpt2Engine& engine, const Plan& plan);

bool SameBits(const Values& a, const Values& b);

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_RANDOM_ENGINE_H_
