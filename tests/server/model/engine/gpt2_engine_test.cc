#include "server/model/engine/gpt2_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/fakes/fake_metrics.h"
#include "tests/fakes/random_engine.h"
#include "tests/fakes/random_gpt2.h"

namespace hydrophone {
namespace {

using testing::SizeIs;

TEST(Gpt2EngineTest, GivesEveryCaptureOnceAndInOrder) {
  const Gpt2Config config = SmallConfig();
  Gpt2Engine engine = MakeEngine(config, 2);
  class OrderSink : public CollectingSink {
   public:
    explicit OrderSink(const Plan& plan) : plan_(plan) {}
    void OnCapture(size_t index, TensorView rows) override {
      EXPECT_EQ(index, next_++) << CanonicalName(plan_.captures[index].point);
      CollectingSink::OnCapture(index, rows);
    }

   private:
    const Plan& plan_;
    size_t next_ = 0;
  };
  const Plan plan = PlanFor({RandomTokens(config, 9, 1), RandomTokens(config, 4, 2)}, AllPoints(config), config);
  OrderSink sink(plan);
  const BatchMember member{&plan, &sink};
  ASSERT_EQ(absl::OkStatus(), engine.Run({&member, 1}));
  EXPECT_THAT(sink.captures(), SizeIs(plan.captures.size()));
  for (const auto& [index, values] : sink.captures()) {
    EXPECT_EQ(values.elements(), static_cast<size_t>(plan.captures[index].Elements())) << index;
  }
}

TEST(Gpt2EngineTest, AgreesWithTheFloat64Reference) {
  Gpt2Config config = SmallConfig();
  for (bool inverse : {false, true}) {
    config.scale_attn_by_inverse_layer_idx = inverse;
    config.scale_attn_weights = !inverse;
    config.activation = inverse ? Activation::kGelu : Activation::kGeluNew;
    Gpt2Engine engine = MakeEngine(config, 2);
    const std::vector<uint32_t> tokens = RandomTokens(config, 50, 3);
    int compared = 0;
    auto compare = [&](HookPoint point, absl::Span<const double> exact) {
      const Values values = RunAlone(engine, PlanFor({tokens}, {point}, config))[0];
      ASSERT_EQ(values.size(), exact.size());
      for (size_t i = 0; i < values.size(); ++i) {
        if (values[i] == exact[i]) continue;  // -inf too
        ASSERT_NEAR(values[i], exact[i], 1e-5 * std::max(1.0, std::abs(exact[i]))) << CanonicalName(point) << " " << i;
      }
      ++compared;
    };
    ASSERT_EQ(absl::OkStatus(), engine.RunReference(tokens, compare, [] { return false; }));
    const auto flat = [](HookPoint point) { return point.flat; };
    const std::vector<HookPoint> all = AllPoints(config);
    EXPECT_EQ(compared, static_cast<int>(all.size()) - std::count_if(all.begin(), all.end(), flat));
  }
}

TEST(Gpt2EngineTest, TellsWhatSharedBeginningsSave) {
  FakeMetrics metrics;
  const Gpt2Config config = SmallConfig();
  Gpt2Engine engine = MakeEngine(config, 2, &metrics);
  RunAlone(engine, PlanFor({{7, 8, 9}, {7, 8, 5, 6}}, {{Site::kAttnOut, 0}}, config));
  EXPECT_EQ(metrics.prefix_tokens_saved(), 2);
}

// The captures come from separate runs of the engine.
TEST(Gpt2EngineTest, ClosesTheReconstructionToTheBit) {
  const Gpt2Config config = SmallConfig();
  Gpt2Engine engine = MakeEngine(config, 2);
  const std::vector<uint32_t> tokens = RandomTokens(config, 37, 4);
  auto one = [&](HookPoint point) { return RunAlone(engine, PlanFor({tokens}, {point}, config))[0]; };
  for (int layer = 0; layer < config.n_layer; ++layer) {
    const Values state = one({Site::kHiddenState, layer}), attn = one({Site::kAttnOut, layer});
    const Values mlp = one({Site::kMlpOut, layer}), next = one({Site::kResidPost, layer});
    for (size_t i = 0; i < state.size(); ++i) {
      const float mid = state[i] + attn[i];
      ASSERT_EQ(mid + mlp[i], next[i]);
    }
    for (float value : one({Site::kReconstructionResidual, layer})) ASSERT_EQ(value, 0.0f);
  }
  for (float value : one({Site::kLnFinalResidual, -1})) ASSERT_EQ(value, 0.0f);
}

TEST(Gpt2EngineTest, LastHiddenStateIsTheFinalLayerNormOfTheRawOutput) {
  const Gpt2Config config = SmallConfig();
  Gpt2Engine engine = MakeEngine(config, 1);
  const Plan plan = PlanFor({RandomTokens(config, 11, 5)}, {{Site::kResidPost, 2}, {Site::kHiddenState, 3}}, config);
  CollectingSink sink;
  const BatchMember member{&plan, &sink};
  ASSERT_EQ(absl::OkStatus(), engine.Run({&member, 1}));
  const auto normed = engine.ApplyFinalLayerNorm(sink.captures().at(0));
  ASSERT_TRUE(normed.ok());
  EXPECT_TRUE(SameBits(Values(normed->floats().begin(), normed->floats().end()), sink.values(1)));
  EXPECT_FALSE(SameBits(sink.values(0), sink.values(1)));
}

TEST(Gpt2EngineTest, BitsOfARunDoNotDependOnItsNeighboursOrOnThreads) {
  for (int n_inner : {100, 240}) {
    Gpt2Config config = SmallConfig();
    config.n_inner = n_inner;
    const std::vector<HookPoint> points = AllPoints(config);
    std::vector<Plan> plans;
    std::vector<std::vector<Values>> alone;
    {
      Gpt2Engine engine = MakeEngine(config, 1);
      ASSERT_TRUE(engine.compute().batch_independent);
      for (uint32_t i = 0; i < 12; ++i) {
        plans.push_back(PlanFor({RandomTokens(config, 1 + (i * 7) % 80, i)}, points, config));
        alone.push_back(RunAlone(engine, plans.back()));
      }
    }
    std::mt19937 random(7);
    for (int threads : {1, 2, 3, 8}) {
      Gpt2Engine engine = MakeEngine(config, threads);
      ASSERT_TRUE(engine.compute().batch_independent) << threads;
      for (int round = 0; round < 6; ++round) {
        std::vector<size_t> chosen(1 + random() % 9);
        for (size_t& index : chosen) index = random() % plans.size();
        std::vector<CollectingSink> sinks(chosen.size());
        std::vector<BatchMember> batch;
        for (size_t i = 0; i < chosen.size(); ++i) batch.push_back({&plans[chosen[i]], &sinks[i]});
        ASSERT_EQ(absl::OkStatus(), engine.Run(batch));
        for (size_t i = 0; i < chosen.size(); ++i) {
          for (size_t c = 0; c < points.size(); ++c) {
            ASSERT_TRUE(SameBits(sinks[i].values(c), alone[chosen[i]][c]))
                << CanonicalName(plans[chosen[i]].captures[c].point) << " threads " << threads;
          }
        }
      }
    }
  }
}

// The forward pass ends where the deepest request does.
TEST(Gpt2EngineTest, APointAskedForAloneHasTheBitsThatItHasAmongAll) {
  const Gpt2Config config = SmallConfig();
  Gpt2Engine engine = MakeEngine(config, 2);
  const std::vector<uint32_t> tokens = RandomTokens(config, 21, 3);
  const Plan every = PlanFor({tokens}, AllPoints(config), config);
  const std::vector<Values> all = RunAlone(engine, every);
  for (size_t i = 0; i < all.size(); ++i) {
    const HookPoint point = every.captures[i].point;
    ASSERT_TRUE(SameBits(RunAlone(engine, PlanFor({tokens}, {point}, config))[0], all[i])) << CanonicalName(point);
  }
}

// Members that ask for little leave the batch early, and change no bit of the members that stay.
TEST(Gpt2EngineTest, MembersOfAllDepthsHaveTheBitsThatTheyHaveAlone) {
  const Gpt2Config config = SmallConfig();
  Gpt2Engine engine = MakeEngine(config, 2);
  const std::vector<uint32_t> stem = RandomTokens(config, 12, 1);
  std::vector<Plan> plans;
  uint32_t seed = 20;
  for (HookPoint point : AllPoints(config)) {
    std::vector<uint32_t> tokens = stem;
    for (uint32_t id : RandomTokens(config, 1 + seed % 30, seed)) tokens.push_back(id);
    plans.push_back(PlanFor({tokens, stem}, {point}, config));
    if (++seed % 5 == 0) SetSeed(seed, &plans.back());
  }
  std::shuffle(plans.begin(), plans.end(), std::mt19937(3));
  std::vector<CollectingSink> sinks(plans.size());
  std::vector<BatchMember> batch;
  for (size_t i = 0; i < plans.size(); ++i) batch.push_back({&plans[i], &sinks[i]});
  ASSERT_EQ(engine.Run(batch), absl::OkStatus());
  for (size_t i = 0; i < plans.size(); ++i) {
    ASSERT_TRUE(SameBits(sinks[i].values(0), RunAlone(engine, plans[i])[0]))
        << CanonicalName(plans[i].captures[0].point);
  }
}

TEST(Gpt2EngineTest, RunsThatShareABeginningHaveTheBitsThatTheyHaveAlone) {
  const Gpt2Config config = SmallConfig();
  Gpt2Engine engine = MakeEngine(config, 2);
  const std::vector<uint32_t> stem = RandomTokens(config, 40, 1);
  std::vector<std::vector<uint32_t>> runs;
  for (uint32_t i = 0; i < 8; ++i) {
    runs.push_back({stem.begin(), stem.begin() + 5 * i});
    for (uint32_t id : RandomTokens(config, 1 + 3 * i, 10 + i)) runs.back().push_back(id);
  }
  runs.push_back(runs[5]);
  std::vector<HookPoint> points;
  for (HookPoint point : AllPoints(config)) {
    if (!HookPointOf(point).square()) points.push_back(point);  // squares share nothing
  }
  const Plan together = PlanFor(runs, points, config);
  const std::vector<Values> shared = RunAlone(engine, together);
  for (size_t run = 0; run < runs.size(); ++run) {
    const Plan plan = PlanFor({runs[run]}, points, config);
    const std::vector<Values> alone = RunAlone(engine, plan);
    for (size_t i = 0; i < points.size(); ++i) {
      int64_t begin = 0;
      for (size_t before = 0; before < run; ++before) begin += together.captures[i].TensorElements(before);
      const Values part(shared[i].begin() + begin,
                        shared[i].begin() + begin + together.captures[i].TensorElements(run));
      ASSERT_TRUE(SameBits(part, alone[i])) << CanonicalName(points[i]) << " run " << run;
    }
  }
}

TEST(Gpt2EngineTest, TakesSelectedRowsInTheOrderAsked) {
  const Gpt2Config config = SmallConfig();
  Gpt2Engine engine = MakeEngine(config, 2);
  Plan plan = PlanFor({RandomTokens(config, 6, 1), RandomTokens(config, 5, 2)}, {{Site::kAttnOut, 1}}, config);
  const Values all = RunAlone(engine, plan)[0];
  plan.captures[0].contiguous = false;
  plan.captures[0].rows = {3, 0, 10};
  plan.captures[0].rows_per_run = {2, 1};
  plan.captures[0].row_count = 3;
  const Values some = RunAlone(engine, plan)[0];
  Values expected;
  for (size_t row : {3u, 0u, 10u}) {
    expected.insert(expected.end(), all.begin() + static_cast<int64_t>(row) * config.n_embd,
                    all.begin() + static_cast<int64_t>(row + 1) * config.n_embd);
  }
  EXPECT_TRUE(SameBits(some, expected));
}

TEST(Gpt2EngineTest, StopsDeliveringToAMemberThatLeftAndServesTheOthers) {
  const Gpt2Config config = SmallConfig();
  Gpt2Engine engine = MakeEngine(config, 2);
  const Plan plan = PlanFor({RandomTokens(config, 6, 1)}, AllPoints(config), config);
  CollectingSink leaver, stayer;
  leaver.stop_after = 4;
  const std::vector<BatchMember> batch = {{&plan, &leaver}, {&plan, &stayer}};
  ASSERT_EQ(absl::OkStatus(), engine.Run(batch));
  EXPECT_THAT(leaver.captures(), SizeIs(4));
  EXPECT_THAT(stayer.captures(), SizeIs(plan.captures.size()));
}

TEST(Gpt2EngineTest, AnswersAFailureOfTheLibraryWithAnErrorAndGoesOn) {
  const Gpt2Config config = SmallConfig();
  Gpt2Engine engine = MakeEngine(config, 2);
  CollectingSink sink;
  const Plan bad = PlanFor({{1, 4000000, 2}}, {{Site::kEmbed, -1}}, config);
  const BatchMember member{&bad, &sink};
  EXPECT_EQ(engine.Run({&member, 1}).code(), absl::StatusCode::kInternal);
  EXPECT_THAT(RunAlone(engine, PlanFor({{1, 2}}, {{Site::kEmbed, -1}}, config)), SizeIs(1));
}

}  // namespace
}  // namespace hydrophone
