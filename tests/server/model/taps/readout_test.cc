#include "server/model/taps/readout.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/server/model/seeded.h"

namespace hydrophone {
namespace {

class ReadLogitsTest : public testing::Test, Seeded {};

// Rows are logits already.
at::Tensor AsTheyAre(const at::Tensor& rows) { return rows; }

at::Tensor Read(const Readout& readout, const at::Tensor& logits) {
  ReadoutRows rows;
  rows.rows = logits;
  return ReadLogits(readout, rows, AsTheyAre);
}

TEST_F(ReadLogitsTest, TopTokensComeLargestFirstAndOfEqualOnesTheLowerId) {
  Readout readout;
  readout.top_k = 3;
  const at::Tensor read = Read(readout, at::tensor({1.0f, 3.0f, 3.0f, 2.0f}).view({1, 4})).view({3, 4});
  EXPECT_TRUE(at::equal(read.select(1, 0), at::tensor({1.0f, 2.0f, 3.0f})));
  EXPECT_TRUE(at::equal(read.select(1, 1), at::tensor({3.0f, 3.0f, 2.0f})));
  EXPECT_TRUE(at::equal(read.select(1, 3), at::tensor({0.0f, 1.0f, 2.0f})));
}

TEST_F(ReadLogitsTest, GivenTokensComeWithTheirRanksAfterTheTop) {
  Readout readout;
  readout.top_k = 1;
  readout.token_ids = {0, 2};
  const at::Tensor read = Read(readout, at::tensor({1.0f, 3.0f, 3.0f, 2.0f}).view({1, 4})).view({3, 4});
  EXPECT_TRUE(at::equal(read.select(1, 0), at::tensor({1.0f, 0.0f, 2.0f})));
  EXPECT_TRUE(at::equal(read.select(1, 3), at::tensor({0.0f, 3.0f, 1.0f})));
}

TEST_F(ReadLogitsTest, LogProbabilitiesAreThoseOfFloat64) {
  Readout readout;
  readout.token_ids = {5};
  const at::Tensor logits = at::randn({130, 50}) * 8;  // more rows than are read at once
  const at::Tensor read = Read(readout, logits);
  const at::Tensor exact = at::log_softmax(logits.to(at::kDouble), -1).select(1, 5);
  EXPECT_LT(((read.select(1, 2) - exact).abs() / exact.abs()).max().item<double>(), 1.2e-7);  // the last of 24 bits
}

TEST_F(ReadLogitsTest, EntropyAndDivergenceAreThoseOfFloat64) {
  Readout readout;
  readout.token_ids = {0};
  readout.entropy = true;
  readout.final_divergence = true;
  ReadoutRows rows;
  rows.rows = at::randn({130, 50}) * 3;
  rows.baseline_rows = at::randn({130, 50}) * 3;
  const at::Tensor read = ReadLogits(readout, rows, AsTheyAre).view({130, 3, 4});
  const at::Tensor log_p = at::log_softmax(rows.rows.to(at::kDouble), -1);
  const at::Tensor log_q = at::log_softmax(rows.baseline_rows.to(at::kDouble), -1);
  const at::Tensor entropy = -(log_p.exp() * log_p).sum(-1);
  const at::Tensor divergence = (log_q.exp() * (log_q - log_p)).sum(-1);
  EXPECT_LT(((read.select(1, 1).select(1, 1) - entropy) / entropy).abs().max().item<double>(), 1.2e-7);
  EXPECT_LT(((read.select(1, 2).select(1, 1) - divergence) / divergence).abs().max().item<double>(), 1.2e-7);
  EXPECT_EQ(read.slice(1, 1, 3).select(2, 0).abs().max().item<float>(), 0);
}

TEST_F(ReadLogitsTest, NumbersOfADistributionWithNaNAreNaNAndCertaintyHasNoEntropy) {
  Readout readout;
  readout.entropy = true;
  readout.final_divergence = true;
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  ReadoutRows rows;
  rows.rows = at::tensor({0.0f, 1.0f, 0.0f, -inf, 5.0f, -inf, 1.0f, 2.0f, 3.0f}).view({3, 3});
  rows.baseline_rows = at::tensor({nan, 1.0f, 0.0f, -inf, 5.0f, -inf, 1.0f, 2.0f, -inf}).view({3, 3});
  const at::Tensor read = ReadLogits(readout, rows, AsTheyAre).view({3, 2, 4}).select(2, 1);
  EXPECT_TRUE(std::isnan(read[0][1].item<float>()));
  EXPECT_EQ(read[1][0].item<float>(), 0);
  EXPECT_EQ(read[1][1].item<float>(), 0);
  EXPECT_TRUE(std::isfinite(read[2][1].item<float>()));
  rows.rows[0][0] = nan;
  EXPECT_TRUE(std::isnan(ReadLogits(readout, rows, AsTheyAre).view({3, 2, 4})[0][0][1].item<float>()));
}

TEST_F(ReadLogitsTest, NotANumberRanksLast) {
  Readout readout;
  readout.top_k = 2;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Read(readout, at::tensor({nan, -4.0f, 2.0f}).view({1, 3}))[0][4].item<float>(), 1);
}

TEST_F(ReadLogitsTest, LogitDiffSubtracts) {
  Readout readout;
  readout.kind = Readout::Kind::kLogitDiff;
  readout.correct = 2;
  readout.wrong = 0;
  EXPECT_EQ(Read(readout, at::tensor({1.5f, 0.0f, 4.0f}).view({1, 3})).item<float>(), 2.5f);
}

TEST_F(ReadLogitsTest, LossIsTheNextTokensSurprisal) {
  Readout readout;
  readout.kind = Readout::Kind::kNextTokenLoss;
  ReadoutRows rows;
  rows.rows = at::randn({3, 20});
  rows.next_tokens = {4, 0, 19};
  const at::Tensor read = ReadLogits(readout, rows, AsTheyAre);
  const at::Tensor log_p = at::log_softmax(rows.rows.to(at::kDouble), -1);
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(read[i][0].item<float>(), -log_p[i][rows.next_tokens[static_cast<size_t>(i)]].item<double>(), 1e-6);
  }
}

TEST_F(ReadLogitsTest, DivergenceIsFromTheBaselineAndZeroForEqualRows) {
  Readout readout;
  readout.kind = Readout::Kind::kDivergence;
  ReadoutRows rows;
  rows.rows = at::randn({2, 30});
  rows.baseline_rows = at::randn({2, 30});
  const at::Tensor log_q = at::log_softmax(rows.rows.to(at::kDouble), -1);
  const at::Tensor log_p = at::log_softmax(rows.baseline_rows.to(at::kDouble), -1);
  const at::Tensor exact = (log_p.exp() * (log_p - log_q)).sum(-1);
  EXPECT_LT((ReadLogits(readout, rows, AsTheyAre).view({2}) - exact).abs().max().item<double>(), 1e-6);
  rows.baseline_rows = rows.rows;
  EXPECT_EQ(ReadLogits(readout, rows, AsTheyAre).abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace hydrophone
