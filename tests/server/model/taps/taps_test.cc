#include "server/model/taps/taps.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/fakes/random_gpt2.h"

namespace hydrophone {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr HookPoint kMid{Site::kResidMid, 1};

// Two members of 3 and 2 tokens in a batch of width 2.
class TapsTest : public testing::Test {
 protected:
  TapsTest() {
    config_.n_embd = 2;
    model_ = InfoOf(config_);
    first_ = PlanFor({{1, 2, 3}}, {{Site::kEmbed, -1}, kMid}, config_);
    second_ = PlanFor({{4, 5}}, {{Site::kMlpOut, 2}}, config_);
    batch_ = {{&first_, &first_sink_}, {&second_, &second_sink_}};
  }

  at::Tensor Value() const { return at::arange(10, at::kFloat).view({5, 2}); }

  Gpt2Config config_ = SmallConfig();
  ModelInfo model_ = InfoOf(config_);
  Plan first_, second_;
  CollectingSink first_sink_, second_sink_;
  std::vector<BatchMember> batch_;
};

TEST_F(TapsTest, GivesEachMemberItsOwnRows) {
  const BatchRows rows(batch_, false);
  Taps taps(batch_, rows, model_, {});
  taps.Give({Site::kMlpOut, 2}, Value());
  EXPECT_THAT(second_sink_.values(0), ElementsAre(6, 7, 8, 9));
  EXPECT_THAT(first_sink_.captures(), IsEmpty());
}

TEST_F(TapsTest, WantsWhatSomebodyAskedForAndHasNotLeft) {
  const BatchRows rows(batch_, false);
  Taps taps(batch_, rows, model_, {});
  EXPECT_TRUE(taps.Wants(kMid));
  EXPECT_FALSE(taps.Wants({Site::kResidMid, 0}));
  first_sink_.stopped = true;
  EXPECT_FALSE(taps.Wants(kMid));
  taps.Give(kMid, Value());
  EXPECT_THAT(first_sink_.captures(), IsEmpty());
}

TEST_F(TapsTest, ReachesAsFarAsTheDeepestMemberThatHasNotLeft) {
  const BatchRows rows(batch_, false);
  Taps taps(batch_, rows, model_, {});
  EXPECT_TRUE(taps.Reaches({Site::kMlpOut, 2}));
  EXPECT_FALSE(taps.Reaches({Site::kMlpDropped, 2}));
  second_sink_.stopped = true;
  EXPECT_TRUE(taps.Reaches(kMid));
  EXPECT_FALSE(taps.Reaches({Site::kLn2Scale, 1}));
  first_sink_.stopped = true;
  EXPECT_FALSE(taps.Reaches({Site::kEmbed, -1}));
}

TEST_F(TapsTest, SharesTheMemoryOfACaptureThatTakesMostOfTheValue) {
  const BatchRows rows(batch_, false);
  Taps taps(batch_, rows, model_, {});
  const at::Tensor value = Value();
  taps.Give(kMid, value);  // three of five rows
  EXPECT_EQ(static_cast<const void*>(first_sink_.captures().begin()->second.data), value.const_data_ptr());
  taps.Give({Site::kMlpOut, 2}, value);  // two of five
  EXPECT_NE(static_cast<const void*>(second_sink_.captures().begin()->second.data),
            static_cast<const void*>(static_cast<const float*>(value.const_data_ptr()) + 6));
}

TEST_F(TapsTest, KeepsTheMemoryAfterTheValueIsGone) {
  const BatchRows rows(batch_, false);
  Taps taps(batch_, rows, model_, {});
  taps.Give(kMid, Value());
  EXPECT_THAT(first_sink_.values(1), ElementsAre(0, 1, 2, 3, 4, 5));
}

// One run of 3 tokens of width 2 and one capture of it at kMid, to be changed.
class SelectionTest : public TapsTest {
 protected:
  SelectionTest() { batch_ = {{&first_, &first_sink_}}; }

  Capture& Mid() { return first_.captures[1]; }
  std::vector<float> Given(TapFunctions functions = {}) {
    const BatchRows rows(batch_, false);
    functions.times_transposed = [](const at::Tensor& picked, const at::Tensor& vectors) {
      return at::mm(picked, vectors.t());
    };
    Taps taps(batch_, rows, model_, std::move(functions));
    taps.Give(kMid, at::tensor({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 0.0f}).view({3, 2}));
    return first_sink_.values(1);
  }
};

TEST_F(SelectionTest, TakesTheFeaturesAsked) {
  Mid().units.features = {1};
  EXPECT_THAT(Given(), ElementsAre(2, 4, 0));
}

TEST_F(SelectionTest, ReducesTheRowsOfARun) {
  Mid().reduction = Reduction::kMax;
  EXPECT_THAT(Given(), ElementsAre(5, 4));
}

TEST_F(SelectionTest, ProjectsOntoVectors) {
  Mid().projection = std::make_shared<const Projection>(Projection{3, 2, {1, 0, 1, 1, 0, -1}});
  EXPECT_THAT(Given(), ElementsAre(1, 3, -2, 3, 7, -4, 5, 5, 0));
}

TEST_F(SelectionTest, ProjectsTheFeaturesThatAreLeft) {
  Mid().units.features = {1};
  Mid().projection = std::make_shared<const Projection>(Projection{1, 1, {10}});
  EXPECT_THAT(Given(), ElementsAre(20, 40, 0));
}

TEST_F(SelectionTest, ReadsTheLensThroughTheFinalLayerNormAndTheUnembedding) {
  auto readout = std::make_shared<Readout>();
  readout->kind = Readout::Kind::kLogitDiff;
  readout->wrong = 1;
  Mid().readout = readout;
  TapFunctions functions;
  functions.final_layer_norm = [](const at::Tensor& rows) { return rows * 10; };
  functions.unembed = [](const at::Tensor& rows) { return rows + 1; };
  EXPECT_THAT(Given(functions), ElementsAre(-10, -10, 50));
}

TEST_F(SelectionTest, ALensOfAllLogitsGivesTheLogits) {
  auto readout = std::make_shared<Readout>();
  readout->kind = Readout::Kind::kLogits;
  Mid().readout = readout;
  TapFunctions functions;
  functions.final_layer_norm = [](const at::Tensor& rows) { return rows * 10; };
  functions.unembed = [](const at::Tensor& rows) { return rows + 1; };
  EXPECT_THAT(Given(functions), ElementsAre(11, 21, 31, 41, 51, 1));
}

TEST_F(SelectionTest, ADivergenceFromTheEndWaitsForTheLogits) {
  auto readout = std::make_shared<Readout>();
  readout->final_divergence = true;
  Mid().readout = readout;
  TapFunctions functions;
  functions.final_layer_norm = [](const at::Tensor& rows) { return rows * 2; };
  functions.unembed = [](const at::Tensor& rows) { return rows; };
  const BatchRows rows(batch_, false);
  Taps taps(batch_, rows, model_, functions);
  EXPECT_TRUE(taps.Reaches({Site::kLogits, -1}));
  const at::Tensor value = at::tensor({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 0.0f}).view({3, 2});
  taps.Give(kMid, value);
  EXPECT_EQ(first_sink_.captures().count(1), 0u);
  const at::Tensor normed = value * 2;
  normed[2][0] = 1.0f;
  taps.GiveLogits(normed);
  const std::vector<float> given = first_sink_.values(1);
  ASSERT_EQ(given.size(), 12u);
  EXPECT_EQ(given[1], 0);
  EXPECT_EQ(given[5], 0);
  const double p = 1 / (1 + std::exp(-1.0)), q = 1 / (1 + std::exp(-10.0));  // of the first of two tokens
  EXPECT_NEAR(given[9], p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q)), 1e-6);
}

TEST_F(SelectionTest, UnembedsTheRowsAskedOnly) {
  Mid().point = {Site::kLogits, -1};
  Mid().contiguous = false;
  Mid().rows = {2, 0};
  Mid().rows_per_run = {2};
  Mid().row_count = 2;
  Mid().units.features = {0};
  TapFunctions functions;
  functions.unembed = [](const at::Tensor& rows) {
    EXPECT_EQ(rows.size(0), 2);
    return rows * 2;
  };
  const BatchRows rows(batch_, false);
  Taps taps(batch_, rows, model_, functions);
  taps.GiveLogits(at::tensor({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 0.0f}).view({3, 2}));
  EXPECT_THAT(first_sink_.values(1), ElementsAre(10, 2));
}

TEST_F(SelectionTest, ALossReadsEachRowsNextToken) {
  auto readout = std::make_shared<Readout>();
  readout->kind = Readout::Kind::kNextTokenLoss;
  Mid().point = {Site::kLogits, -1};
  Mid().readout = readout;
  Mid().rows_per_run = {2};
  Mid().row_count = 2;
  first_.runs[0].token_ids = {0, 1, 0};
  TapFunctions functions;
  functions.unembed = [](const at::Tensor& rows) { return rows * 1000; };  // so sure that the loss is the difference
  const BatchRows rows(batch_, false);
  Taps taps(batch_, rows, model_, functions);
  taps.GiveLogits(at::tensor({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 0.0f}).view({3, 2}));
  EXPECT_THAT(first_sink_.values(1), ElementsAre(0, 1000));
}

}  // namespace
}  // namespace hydrophone
