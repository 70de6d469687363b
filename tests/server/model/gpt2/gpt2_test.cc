#include "server/model/gpt2/gpt2.h"

#include <gtest/gtest.h>

#include "server/checkpoint/gpt2_parameters.h"
#include "server/model/kernels/cpu/cpu_kernels.h"
#include "tests/fakes/random_gpt2.h"

namespace hydrophone {
namespace {

class Gpt2Test : public testing::Test {
 protected:
  // Names of the parameters of which the model uses other values than are there.
  std::vector<std::string> Differing() {
    std::vector<std::string> names;
    for (const Gpt2Parameter& parameter : Gpt2Parameters(config_, !config_.tie_word_embeddings, checkpoint_.weights)) {
      if (!gpt2_.Uses(*parameter.values)) names.push_back(parameter.name);
    }
    return names;
  }

  const Gpt2Config config_ = SmallConfig();
  Gpt2Checkpoint checkpoint_ = RandomCheckpoint(config_, 1);
  const Gpt2 gpt2_{config_, checkpoint_.weights, std::make_unique<CpuKernels>()};
};

TEST_F(Gpt2Test, UsesEveryParameterAsItWasLoaded) { EXPECT_TRUE(Differing().empty()); }

TEST_F(Gpt2Test, KnowsAWeightThatChangedAfterItWasCopied) {
  const absl::Span<const float> weight = checkpoint_.weights.h[1].mlp_c_fc.weight;
  const_cast<float&>(weight.back()) += 1.0f;
  EXPECT_EQ(Differing(), std::vector<std::string>{"h.1.mlp.c_fc.weight"});
}

TEST_F(Gpt2Test, GivesBackTheMemoryOfWhatItCopied) {
  std::vector<const float*> given_back;
  Gpt2Weights weights = checkpoint_.weights;
  weights.give_back = [&](absl::Span<const float> array) { given_back.push_back(array.data()); };
  const Gpt2 gpt2(config_, weights, std::make_unique<CpuKernels>());
  std::vector<const float*> copied;
  for (const BlockWeights& block : weights.h) {
    copied.insert(copied.end(), {block.attn_c_attn.weight.data(), block.attn_c_proj.weight.data(),
                                 block.mlp_c_fc.weight.data(), block.mlp_c_proj.weight.data()});
  }
  EXPECT_EQ(given_back, copied);
}

}  // namespace
}  // namespace hydrophone
