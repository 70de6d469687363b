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
    SetSeed(seed, &plan);
    return plan;
  }
  Values One(const std::vector<uint32_t>& tokens, HookPoint point) {
    Plan plan = PlanFor({tokens}, {point}, config_);
    SetSeed(5, &plan);
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

// Samples of one input: each run draws by its own seed, as if it were alone in its request.
TEST_F(TrainModeTest, RunsOfOneRequestHaveSeedsOfTheirOwn) {
  const HookPoint point{Site::kResidPost, 1};
  Plan both = PlanFor({tokens_, tokens_}, {point}, config_);
  both.runs[0].train_seed = 5;
  both.runs[1].train_seed = 6;
  Values expected;
  for (const uint64_t seed : {uint64_t{5}, uint64_t{6}}) {
    Plan alone = PlanFor({tokens_}, {point}, config_);
    alone.runs[0].train_seed = seed;
    const Values values = RunAlone(engine_, alone)[0];
    expected.insert(expected.end(), values.begin(), values.end());
  }
  EXPECT_TRUE(SameBits(RunAlone(engine_, both)[0], expected));
}

// The values are mixed by the pattern after its dropout: z = pattern v, to rounding.
TEST_F(TrainModeTest, ThePatternIsWhatMixesTheValues) {
  const Values pattern = One(tokens_, {Site::kPattern, 1}), softmax = One(tokens_, {Site::kSoftmax, 1});
  const Values v = One(tokens_, {Site::kV, 1}), z = One(tokens_, {Site::kZ, 1});
  const size_t s = tokens_.size(), d = v.size() / s, d_head = static_cast<size_t>(config_.d_head());
  const auto scale = static_cast<float>(1 / (1 - config_.attn_pdrop));
  for (size_t i = 0; i < pattern.size(); ++i) ASSERT_TRUE(pattern[i] == 0 || pattern[i] == softmax[i] * scale);
  for (size_t query = 0; query < s; ++query) {
    for (size_t column = 0; column < d; ++column) {
      double sum = 0;
      for (size_t key = 0; key <= query; ++key) {
        sum += double{pattern[(column / d_head * s + query) * s + key]} * v[key * d + column];
      }
      ASSERT_NEAR(z[query * d + column], sum, 1e-5);
    }
  }
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
