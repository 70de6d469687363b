#include <gtest/gtest.h>

#include <cmath>

#include "tests/fakes/random_engine.h"
#include "tests/fakes/random_gpt2.h"

namespace hydrophone {
namespace {

class TrainModeTest : public testing::Test {
 protected:
  Plan PlanWith(std::vector<std::vector<uint32_t>> runs, std::optional<uint64_t> seed) const {
    Plan plan = PlanFor(runs, AllPoints(config_), config_);
    plan.train_seed = seed;
    return plan;
  }
  Values One(const std::vector<uint32_t>& tokens, HookPoint point) {
    Plan plan = PlanFor({tokens}, {point}, config_);
    plan.train_seed = 5;
    return RunAlone(engine_, plan)[0];
  }

  Gpt2Config config_ = SmallConfig();
  Gpt2Engine engine_ = MakeEngine(config_, 2);
  const std::vector<uint32_t> tokens_ = RandomTokens(config_, 33, 1), others_ = RandomTokens(config_, 12, 2);
};

TEST_F(TrainModeTest, TheSameSeedGivesTheSameBytesInAnyCompany) {
  const Plan plan = PlanWith({tokens_}, 5), eval = PlanWith({tokens_}, std::nullopt), other = PlanWith({others_}, 6);
  const std::vector<Values> alone = RunAlone(engine_, plan), alone_eval = RunAlone(engine_, eval);
  CollectingSink sinks[3];
  const std::vector<BatchMember> batch = {{&other, &sinks[0]}, {&plan, &sinks[1]}, {&eval, &sinks[2]}};
  ASSERT_EQ(engine_.Run(batch), absl::OkStatus());
  for (size_t i = 0; i < plan.captures.size(); ++i) {
    EXPECT_TRUE(SameBits(sinks[1].values(i), alone[i])) << CanonicalName(plan.captures[i].point);
    EXPECT_TRUE(SameBits(sinks[2].values(i), alone_eval[i])) << CanonicalName(plan.captures[i].point);
  }
  EXPECT_FALSE(SameBits(alone.back(), alone_eval.back()));
  EXPECT_FALSE(SameBits(RunAlone(engine_, PlanWith({tokens_}, 6)).back(), alone.back()));
}

// Before the dropout, at c_proj's output, the sum does not close; after it, it closes to the bit.
TEST_F(TrainModeTest, TheSumClosesAfterTheDropoutOnly) {
  for (int layer = 0; layer < config_.n_layer; ++layer) {
    const Values state = One(tokens_, {Site::kResidPre, layer}), next = One(tokens_, {Site::kResidPost, layer});
    const Values attn = One(tokens_, {Site::kAttnDropped, layer}), mlp = One(tokens_, {Site::kMlpDropped, layer});
    for (size_t i = 0; i < state.size(); ++i) {
      const float mid = state[i] + attn[i];
      ASSERT_EQ(mid + mlp[i], next[i]);
    }
    bool closes = true;
    for (float residual : One(tokens_, {Site::kReconstructionResidual, layer})) closes = closes && residual == 0.0f;
    EXPECT_FALSE(closes);
  }
}

TEST_F(TrainModeTest, ResidualDropoutKeepsOrZeroes) {
  const Values before = One(tokens_, {Site::kAttnOut, 1}), after = One(tokens_, {Site::kAttnDropped, 1});
  const auto scale = static_cast<float>(1 / (1 - config_.resid_pdrop));
  size_t dropped = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(after[i] == 0.0f || after[i] == before[i] * scale) << i;
    dropped += after[i] == 0.0f;
  }
  // Five standard deviations on each side of the mean.
  const double mean = config_.resid_pdrop * static_cast<double>(before.size());
  EXPECT_NEAR(static_cast<double>(dropped), mean, 5 * std::sqrt(mean * (1 - config_.resid_pdrop)));
}

TEST_F(TrainModeTest, ZeroProbabilitiesAreEvalMode) {
  config_.embd_pdrop = config_.attn_pdrop = config_.resid_pdrop = 0;
  Gpt2Engine engine = MakeEngine(config_, 2);
  const std::vector<Values> train = RunAlone(engine, PlanWith({tokens_}, 5));
  const std::vector<Values> eval = RunAlone(engine, PlanWith({tokens_}, std::nullopt));
  for (size_t i = 0; i < train.size(); ++i) EXPECT_TRUE(SameBits(train[i], eval[i])) << i;
}

}  // namespace
}  // namespace hydrophone
