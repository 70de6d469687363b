// Compares TorchKernels on the CPU with CpuKernels at every hook point: the code that a GPU runs, tested without one.
#include "server/model/kernels/torch/torch_kernels.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "server/model/engine/probe_kernels.h"
#include "server/model/kernels/cpu/cpu_kernels.h"
#include "tests/fakes/late_copies.h"
#include "tests/fakes/random_engine.h"
#include "tests/fakes/random_gpt2.h"
#include "tests/server/model/seeded.h"

namespace hydrophone {
namespace {

using Activation = Activation;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TorchKernels Torch(ProductShapes shapes = ProductShapes::kFixed) { return TorchKernels(at::kCPU, shapes); }

// Longer than an attention block.
Gpt2Config LongConfig() {
  Gpt2Config config = SmallConfig();
  config.n_positions = 160;
  return config;
}

// Within 2e-5 of each other, relative to what is above 1; infinities and NaN are the same on both sides.
void ExpectClose(const Values& got, const Values& expected, HookPoint point) {
  ASSERT_EQ(got.size(), expected.size()) << CanonicalName(point);
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::isfinite(expected[i])) {
      ASSERT_NEAR(got[i], expected[i], 2e-5 * std::max(1.0, std::abs(double{expected[i]})))
          << CanonicalName(point) << " " << i;
    } else {
      const bool same = std::isnan(expected[i]) ? std::isnan(got[i]) : got[i] == expected[i];
      ASSERT_TRUE(same) << got[i] << " at " << CanonicalName(point) << " " << i;
    }
  }
}

void ExpectClose(const std::vector<Values>& got, const std::vector<Values>& expected, const Plan& plan) {
  for (size_t i = 0; i < expected.size(); ++i) ExpectClose(got[i], expected[i], plan.captures[i].point);
}

class TorchForwardTest : public testing::TestWithParam<ProductShapes> {
 protected:
  Gpt2Engine MakeTorchEngine(const Gpt2Config& config) const {
    return MakeEngine(config, std::make_unique<TorchKernels>(at::kCPU, GetParam()), ComputeInfo{});
  }
};

TEST_P(TorchForwardTest, GivesTheValuesOfTheCpuAtEveryPoint) {
  Gpt2Config config = LongConfig();
  for (Activation activation :
       {Activation::kGeluNew, Activation::kGelu, Activation::kQuickGelu, Activation::kRelu, Activation::kSilu,
        Activation::kTanh, Activation::kGelu10, Activation::kHardswish, Activation::kLaplace, Activation::kLeakyRelu,
        Activation::kLinear, Activation::kMish, Activation::kRelu2, Activation::kRelu6, Activation::kSigmoid,
        Activation::kSqrtSoftplus}) {
    config.activation = activation;
    config.scale_attn_by_inverse_layer_idx = !config.scale_attn_by_inverse_layer_idx;
    Gpt2Engine cpu = MakeEngine(config, 2), torch = MakeTorchEngine(config);
    const Plan plan = PlanFor({RandomTokens(config, 9, 1), RandomTokens(config, 130, 2), RandomTokens(config, 64, 3)},
                              AllPoints(config), config);
    ExpectClose(RunAlone(torch, plan), RunAlone(cpu, plan), plan);
  }
}

TEST_P(TorchForwardTest, MakesEditsAndDropsOutAsTheCpuDoes) {
  const Gpt2Config config = LongConfig();
  Gpt2Engine cpu = MakeEngine(config, 2), torch = MakeTorchEngine(config);
  Plan plan = PlanFor({RandomTokens(config, 70, 1), RandomTokens(config, 70, 2)}, AllPoints(config), config);
  for (const HookPointInfo& info : HookPoints()) {
    if (!info.editable()) continue;
    Edit edit;
    edit.operation = Edit::Operation::kScale;
    edit.scale = 0.5f;
    edit.run = 1;
    edit.point = info.At(info.layers == LayerKind::kNone ? -1 : 1);
    edit.positions = {3, 66};
    plan.edits.push_back(edit);
    edit.operation = Edit::Operation::kPatch;
    edit.source = {0, edit.point, {2, 5}};
    plan.edits.push_back(edit);
  }
  ExpectClose(RunAlone(torch, plan), RunAlone(cpu, plan), plan);
  SetSeed(5, &plan);
  ExpectClose(RunAlone(torch, plan), RunAlone(cpu, plan), plan);
}

TEST_P(TorchForwardTest, NormalisesRowsAsItDidInsideTheForwardPass) {
  const Gpt2Config config = LongConfig();
  Gpt2Engine torch = MakeTorchEngine(config);
  const Plan plan = PlanFor({RandomTokens(config, 11, 5)}, {{Site::kResidPost, 2}, {Site::kHiddenState, 3}}, config);
  const std::vector<Values> values = RunAlone(torch, plan);
  TensorView raw;
  raw.shape = {11, config.n_embd};
  raw.data = reinterpret_cast<const std::byte*>(values[0].data());
  const auto normed = torch.ApplyFinalLayerNorm(raw);
  ASSERT_TRUE(normed.ok());
  EXPECT_TRUE(SameBits(Values(normed->floats().begin(), normed->floats().end()), values[1]));
}

INSTANTIATE_TEST_SUITE_P(Shapes, TorchForwardTest, testing::Values(ProductShapes::kFixed, ProductShapes::kAsTheyCome));

// Two sequences, the second one's own rows after those of the first.
class TorchAttentionTest : public testing::Test, Seeded {
 protected:
  static constexpr int64_t kHeads = 3, kWidth = 24;

  // Visits these sequences and changes nothing.
  class Looker final : public AttentionVisitor {
   public:
    explicit Looker(std::vector<size_t> visited) : visited_(std::move(visited)) {}
    std::vector<size_t> Visited() const override { return visited_; }
    void OnScores(size_t, at::Tensor&) override {}
    void OnPattern(size_t, at::Tensor&) override {}

   private:
    const std::vector<size_t> visited_;
  };

  // Rows of positions of two sequences that share their first `shared` positions.
  std::vector<SequenceRows> Sharing(int64_t first_count, int64_t second_count, int64_t shared) {
    rows_.resize(static_cast<size_t>(first_count));
    std::iota(rows_.begin(), rows_.end(), int64_t{0});
    for (int64_t i = 0; i < second_count; ++i) rows_.push_back(i < shared ? i : first_count + i - shared);
    const auto all = absl::MakeConstSpan(rows_);
    const auto split = static_cast<size_t>(first_count);
    return {{all.first(split), 0}, {all.subspan(split), shared}};
  }
  at::Tensor Attend(const std::vector<SequenceRows>& sequences, const at::Tensor& qkv,
                    std::vector<size_t> visited = {}) {
    Looker looker(std::move(visited));
    return Torch().CausalAttention(
        {qkv.narrow(1, 0, kWidth), qkv.narrow(1, kWidth, kWidth), qkv.narrow(1, 2 * kWidth, kWidth)}, sequences, kHeads,
        0.3, looker);
  }

  std::vector<int64_t> rows_;
};

TEST_F(TorchAttentionTest, ComputesASharedBeginningOnceWithTheSameBits) {
  const at::Tensor qkv = at::randn({200, 3 * kWidth});
  const at::Tensor both = Attend(Sharing(140, 150, 90), qkv);
  // The second sequence alone: its 90 shared rows, then its own 60.
  const at::Tensor alone = Attend(Sharing(150, 0, 0), at::cat({qkv.narrow(0, 0, 90), qkv.narrow(0, 140, 60)}));
  EXPECT_TRUE(at::equal(both.narrow(0, 140, 60), alone.narrow(0, 90, 60)));
}

TEST_F(TorchAttentionTest, LookingChangesNoBit) {
  const at::Tensor qkv = at::randn({230, 3 * kWidth});
  EXPECT_TRUE(at::equal(Attend(Sharing(130, 100, 0), qkv), Attend(Sharing(130, 100, 0), qkv, {1, 0})));
}

TEST_F(TorchAttentionTest, NothingOfTheFutureReachesARowEvenIfItIsNotANumber) {
  for (float poison : {std::nanf(""), kInfinity, -kInfinity}) {
    at::Tensor qkv = at::randn({150, 3 * kWidth});
    const at::Tensor before = Attend(Sharing(150, 0, 0), qkv);
    qkv.narrow(0, 70, 1).fill_(poison);
    for (const std::vector<size_t>& visited : {std::vector<size_t>{}, std::vector<size_t>{0}}) {
      const at::Tensor after = Attend(Sharing(150, 0, 0), qkv, visited);
      EXPECT_TRUE(at::equal(before.narrow(0, 0, 70), after.narrow(0, 0, 70)));
      EXPECT_FALSE(at::isfinite(after.narrow(0, 70, 80)).any().item<bool>());
    }
  }
}

// The probe draws from libtorch's generator.
class ProbeKernelsTest : public testing::Test, Seeded {};

TEST_F(ProbeKernelsTest, FindsKernelsThatKeepBits) {
  EXPECT_TRUE(KeepsBits(CpuKernels(), SmallConfig(), ProbeSizeForCpu()));
  EXPECT_TRUE(KeepsBits(CpuKernels(), SmallConfig(), ProbeSizeForLibraries()));
}

// What an operation should give, plus a thousandth of its number of rows: bits that depend on the neighbours.
at::Tensor Spoil(const at::Tensor& right) { return right + static_cast<double>(right.size(0)) * 1e-3; }

class CountingLinear final : public Linear {
 public:
  enum class Wrong : uint8_t { kNone, kApply, kActivated, kRows };

  CountingLinear(std::unique_ptr<const Linear> right, Wrong wrong) : right_(std::move(right)), wrong_(wrong) {}

  at::Tensor Apply(const at::Tensor& x) const override { return Spoiled(Wrong::kApply, right_->Apply(x)); }
  at::Tensor ApplyActivated(const at::Tensor& x, Activation activation) const override {
    return Spoiled(Wrong::kActivated, right_->ApplyActivated(x, activation));
  }
  at::Tensor TimesRows(const at::Tensor& x, int64_t first) const override {
    return Spoiled(Wrong::kRows, right_->TimesRows(x, first));
  }
  at::Tensor WeightOnHost() const override { return right_->WeightOnHost(); }

 private:
  at::Tensor Spoiled(Wrong which, const at::Tensor& right) const { return which == wrong_ ? Spoil(right) : right; }

  const std::unique_ptr<const Linear> right_;
  const Wrong wrong_;
};

class CountingKernels : public Kernels {
 public:
  enum class Wrong : uint8_t { kNone, kTransposed, kNorm, kScale, kAttention };

  explicit CountingKernels(Wrong wrong, CountingLinear::Wrong linear = CountingLinear::Wrong::kNone)
      : wrong_(wrong), linear_(linear) {}

  std::unique_ptr<const Linear> Prepare(const at::Tensor& weight, const at::Tensor& bias) const override {
    return std::make_unique<CountingLinear>(right_.Prepare(weight, bias), linear_);
  }
  at::Tensor TimesTransposed(const at::Tensor& x, const at::Tensor& weight) const override {
    return Spoiled(Wrong::kTransposed, right_.TimesTransposed(x, weight));
  }
  at::Tensor Add(const at::Tensor& a, const at::Tensor& b) const override { return right_.Add(a, b); }
  at::Tensor LayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       double epsilon) const override {
    return Spoiled(Wrong::kNorm, right_.LayerNorm(x, weight, bias, epsilon));
  }
  at::Tensor LayerNormScale(const at::Tensor& x, double epsilon) const override {
    return Spoiled(Wrong::kScale, right_.LayerNormScale(x, epsilon));
  }
  at::Tensor Activate(Activation activation, const at::Tensor& values) const override {
    return right_.Activate(activation, values);
  }
  at::Tensor CausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences, int64_t n_head,
                             double scale, AttentionVisitor& visitor) const override {
    return Spoiled(Wrong::kAttention, right_.CausalAttention(qkv, sequences, n_head, scale, visitor));
  }

 private:
  at::Tensor Spoiled(Wrong which, const at::Tensor& right) const { return which == wrong_ ? Spoil(right) : right; }

  const Wrong wrong_;
  const CountingLinear::Wrong linear_;
  const CpuKernels right_;
};

TEST_F(ProbeKernelsTest, FindsTheOperationThatDoesNot) {
  using Wrong = CountingKernels::Wrong;
  using WrongLinear = CountingLinear::Wrong;
  for (const ProbeSize& size : {ProbeSizeForCpu(), ProbeSizeForLibraries()}) {
    EXPECT_TRUE(KeepsBits(CountingKernels(Wrong::kNone), SmallConfig(), size));
    for (Wrong wrong : {Wrong::kTransposed, Wrong::kNorm, Wrong::kScale, Wrong::kAttention}) {
      EXPECT_FALSE(KeepsBits(CountingKernels(wrong), SmallConfig(), size)) << static_cast<int>(wrong);
    }
    for (WrongLinear wrong : {WrongLinear::kApply, WrongLinear::kActivated, WrongLinear::kRows}) {
      EXPECT_FALSE(KeepsBits(CountingKernels(Wrong::kNone, wrong), SmallConfig(), size)) << static_cast<int>(wrong);
    }
  }
}

// A whole forward pass whose captures arrive late.
class LateCapturesTest : public testing::TestWithParam<int> {
 protected:
  // Runs the batch and gives each member's captures; with copies, as on a device.
  std::vector<std::vector<Values>> Run(const std::vector<Plan>& plans, HostCopies* copies) const {
    std::vector<CollectingSink> sinks(plans.size());
    std::vector<BatchMember> batch;
    for (size_t i = 0; i < plans.size(); ++i) batch.push_back({&plans[i], &sinks[i]});
    BatchRows rows(batch, false);
    TapFunctions functions = gpt2_.FunctionsForTaps();
    functions.copies = copies;
    Taps taps(batch, rows, model_, std::move(functions));
    gpt2_.Forward(rows, BatchDropout(batch, rows, DropoutOf(config_)), taps, [] {});
    taps.Finish();
    std::vector<std::vector<Values>> values(plans.size());
    for (size_t i = 0; i < plans.size(); ++i) {
      EXPECT_EQ(sinks[i].captures().size(), plans[i].captures.size());
      for (size_t c = 0; c < plans[i].captures.size(); ++c) values[i].push_back(sinks[i].values(c));
    }
    return values;
  }
  HostCopies LateCopies(size_t most_bytes = kMostBytesUnderWay) const {
    return HostCopies(std::make_unique<LateCopier>(GetParam()), most_bytes);
  }

  const Gpt2Config config_ = SmallConfig();
  const ModelInfo model_ = InfoOf(config_);
  const Gpt2Checkpoint checkpoint_ = RandomCheckpoint(config_, 1);
  const Gpt2 gpt2_{config_, checkpoint_.weights, std::make_unique<TorchKernels>(at::kCPU, ProductShapes::kFixed)};
};

TEST_P(LateCapturesTest, AreTheSameAndInOrder) {
  std::vector<Plan> plans = {
      PlanFor({RandomTokens(config_, 20, 1), RandomTokens(config_, 7, 2)}, AllPoints(config_), config_),
      PlanFor({RandomTokens(config_, 30, 3)}, {{Site::kMlpOut, 0}}, config_),
      PlanFor({RandomTokens(config_, 5, 4)}, AllPoints(config_), config_)};
  SetSeed(3, &plans[2]);
  const auto expected = Run(plans, nullptr);
  for (size_t most_bytes : {size_t{10000}, kMostBytesUnderWay}) {
    HostCopies copies = LateCopies(most_bytes);
    const auto late = Run(plans, &copies);
    for (size_t i = 0; i < plans.size(); ++i) {
      for (size_t c = 0; c < expected[i].size(); ++c) {
        ASSERT_TRUE(SameBits(late[i][c], expected[i][c])) << CanonicalName(plans[i].captures[c].point);
      }
    }
  }
}

TEST_P(LateCapturesTest, AreSelectedReducedProjectedAndReadAsUsual) {
  Plan plan = PlanFor({RandomTokens(config_, 12, 1)},
                      {{Site::kResidPre, 1},
                       {Site::kQ, 1},
                       {Site::kZ, 1},
                       {Site::kResidMid, 1},
                       {Site::kResult, 2},
                       {Site::kLogits, -1}},
                      config_);
  for (Capture& capture : plan.captures) {
    capture.contiguous = false;
    capture.rows = {7, 0, 3};
    capture.rows_per_run = {3};
    capture.row_count = 3;
  }
  plan.captures[1].units.heads = {2};
  plan.captures[2].reduction = Reduction::kMean;
  auto projection = std::make_shared<Projection>(Projection{2, config_.n_embd, {}});
  projection->rows.assign(2 * static_cast<size_t>(config_.n_embd), 0.5f);
  plan.captures[3].projection = projection;
  auto readout = std::make_shared<Readout>();
  readout->kind = Readout::Kind::kDivergence;
  plan.captures[5].readout = readout;
  plan.captures[5].baseline_rows = {1, 2, 11};
  HostCopies copies = LateCopies();
  const auto expected = Run({plan}, nullptr), late = Run({plan}, &copies);
  for (size_t c = 0; c < plan.captures.size(); ++c) EXPECT_TRUE(SameBits(late[0][c], expected[0][c])) << c;
}

TEST_P(LateCapturesTest, OfAMemberThatLeftMeanwhileAreDropped) {
  const Plan plan = PlanFor({RandomTokens(config_, 6, 1)}, AllPoints(config_), config_);
  CollectingSink sink;
  sink.stop_after = 4;
  const BatchMember member{&plan, &sink};
  BatchRows rows({&member, 1}, false);
  HostCopies copies = LateCopies();
  TapFunctions functions = gpt2_.FunctionsForTaps();
  functions.copies = &copies;
  Taps taps({&member, 1}, rows, model_, std::move(functions));
  gpt2_.Forward(rows, BatchDropout({&member, 1}, rows, DropoutOf(config_)), taps, [] {});
  taps.Finish();
  EXPECT_THAT(sink.captures(), testing::SizeIs(4));
}

INSTANTIATE_TEST_SUITE_P(Looks, LateCapturesTest, testing::Values(0, 1, 7, LateCopier::kNever));

}  // namespace
}  // namespace hydrophone
