// Engines over random checkpoints, and what tests do with them.
#ifndef HYDROPHONE_TESTS_FAKES_RANDOM_ENGINE_H_
#define HYDROPHONE_TESTS_FAKES_RANDOM_ENGINE_H_

#include <memory>
#include <vector>

#include "server/model/engine/gpt2_engine.h"

namespace hydrophone {

using Values = std::vector<float>;

// On the CPU.
Gpt2Engine MakeEngine(const Gpt2Config& config, int threads);

// With any kernels.
Gpt2Engine MakeEngine(const Gpt2Config& config, std::unique_ptr<const Kernels> kernels, const ComputeInfo& compute);

// Every point that can be captured, at every layer.
std::vector<HookPoint> AllPoints(const Gpt2Config& config);

// The captures of a plan that is alone in its batch.
std::vector<Values> RunAlone(Gpt2Engine& engine, const Plan& plan);

bool SameBits(const Values& a, const Values& b);

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_RANDOM_ENGINE_H_
