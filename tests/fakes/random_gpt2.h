// A small GPT-2 with random parameters, in memory, and plans to run on it.
#ifndef HYDROPHONE_TESTS_FAKES_RANDOM_GPT2_H_
#define HYDROPHONE_TESTS_FAKES_RANDOM_GPT2_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "server/checkpoint/gpt2_checkpoint.h"
#include "server/core/engine.h"

namespace hydrophone {

Gpt2Config SmallConfig();

// A checkpoint whose parameters are all random, biases and LayerNorms included, so that a forgotten one shows.
Gpt2Checkpoint RandomCheckpoint(const Gpt2Config& config, uint32_t seed);

// `count` random ids below the vocabulary's size.
std::vector<uint32_t> RandomTokens(const Gpt2Config& config, size_t count, uint32_t seed);

// The sizes of a model of this configuration.
ModelInfo InfoOf(const Gpt2Config& config);

// A plan that captures all rows of these points for these runs, in forward order.
Plan PlanFor(const std::vector<std::vector<uint32_t>>& runs, std::vector<HookPoint> points, const Gpt2Config& config);

// Puts all runs of the plan into train mode with this seed, or into eval mode.
void SetSeed(std::optional<uint64_t> seed, Plan* plan);

// A sink that keeps the view of each capture.
class CollectingSink : public CaptureSink {
 public:
  void OnCapture(size_t index, TensorView rows) override;
  bool Stopped() const override { return stopped; }

  std::vector<float> values(size_t index) const;
  const std::map<size_t, TensorView>& captures() const { return captures_; }

  bool stopped = false;
  int stop_after = -1;  // the number of captures after which it says Stopped; -1: never

 private:
  std::map<size_t, TensorView> captures_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_RANDOM_GPT2_H_
