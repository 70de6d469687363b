#include "server/verify/layer_report.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A block's arrays, as a forward pass makes them.
struct Block {
  std::vector<float> before, attn, mlp, after;

  Block(std::vector<float> h, std::vector<float> a, std::vector<float> m)
      : before(std::move(h)), attn(std::move(a)), mlp(std::move(m)) {
    for (size_t i = 0; i < before.size(); ++i) {
      volatile float middle = before[i] + attn[i];
      after.push_back(middle + mlp[i]);
    }
  }
  LayerArrays arrays() const { return {before, attn, mlp, after}; }
  LayerReport Report(MaskRule mask = {}, bool keep = false) const {
    return MakeLayerReport(3, arrays(), 4, {before.size() / 4}, mask, keep);
  }
};

// Random states of some size, deltas of another, and one dimension of outliers.
Block RandomBlock(double state_size, double delta_size, float outlier, size_t tokens = 64) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  std::vector<float> h, a, m;
  for (size_t i = 0; i < tokens * 4; ++i) {
    h.push_back(static_cast<float>(state_size * normal(random)) + (i % 4 == 2 ? outlier : 0));
    a.push_back(static_cast<float>(delta_size * normal(random)));
    m.push_back(static_cast<float>(delta_size * normal(random)));
  }
  return Block(h, a, m);
}

double Oracle(const std::vector<double>& x, const std::vector<double>& y) {
  const long double n = static_cast<long double>(x.size());
  long double sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) sx += x[i] / n, sy += y[i] / n;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - sx) * (x[i] - sx), yy += (y[i] - sy) * (y[i] - sy), xy += (x[i] - sx) * (y[i] - sy);
  }
  return static_cast<double>(xy / std::sqrt(xx * yy));
}

TEST(ReconstructionTest, IsZeroInTheOrderOfTheForwardPassOnly) {
  // 2^24 + 1 is not a float32: (2^24 + 1) + 1 stays 2^24, 2^24 + (1 + 1) does not.
  Block block({16777216, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 0});
  EXPECT_EQ(block.after[0], 16777216);
  EXPECT_THAT(ReconstructionResidual(block.arrays()), Each(0.0f));
  EXPECT_EQ(ReconstructionMismatches(block.arrays()), 0u);

  block.after[0] = 16777218.0f;
  EXPECT_THAT(ReconstructionResidual(block.arrays()), ElementsAre(2, 0, 0, 0));
  EXPECT_EQ(ReconstructionMismatches(block.arrays()), 1u);
}

TEST(ReconstructionTest, IsBitwiseOnRandomArrays) {
  LayerReport report = RandomBlock(3, 0.7, 900).Report();
  EXPECT_EQ(report.layer, 3);
  EXPECT_EQ(report.different_elements, 0u);
  EXPECT_EQ(report.max_abs, 0);
  EXPECT_EQ(report.mean_abs, 0);
}

TEST(ReconstructionTest, SeesOneUlp) {
  Block block = RandomBlock(3, 0.7, 0);
  const float right = block.after[17];
  block.after[17] = std::nextafter(right, 100.0f);
  LayerReport report = block.Report();
  EXPECT_EQ(report.different_elements, 1u);
  EXPECT_EQ(report.max_abs, static_cast<double>(block.after[17]) - static_cast<double>(right));
  EXPECT_DOUBLE_EQ(report.mean_abs, report.max_abs / 256);
}

TEST(ReconstructionTest, SeesASignThatSubtractionDoesNot) {
  Block block({0, 1, 2, 3}, {0, 1, 1, 1}, {0, 1, 1, 1});
  block.after[0] = -0.0f;
  LayerReport report = block.Report();
  EXPECT_EQ(report.max_abs, 0);
  EXPECT_EQ(report.different_elements, 1u);
}

TEST(ReconstructionTest, ANaNIsNotLostInTheMaximum) {
  Block block = RandomBlock(3, 0.7, 0);
  block.after[5] = std::numeric_limits<float>::quiet_NaN();
  block.after[9] += 1;  // a larger one after it
  LayerReport report = block.Report();
  EXPECT_TRUE(std::isnan(report.max_abs));
  EXPECT_TRUE(std::isnan(report.mean_abs));
}

TEST(ReconstructionTest, TheResidualComesOnlyWhenAskedFor) {
  Block block = RandomBlock(3, 0.7, 0);
  block.after[2] += 0.5f;
  EXPECT_THAT(block.Report().residual, IsEmpty());
  std::vector<float> residual = block.Report({}, true).residual;
  ASSERT_THAT(residual, SizeIs(256));
  EXPECT_NEAR(residual[2], 0.5, 1e-6);
}

TEST(LayerCorrelationTest, AreTheFourOfTheLesson) {
  Block block = RandomBlock(3, 0.7, 0);
  std::vector<double> h(block.before.begin(), block.before.end()), next(block.after.begin(), block.after.end());
  std::vector<double> a(block.attn.begin(), block.attn.end()), m(block.mlp.begin(), block.mlp.end());
  std::vector<double> increment, deltas;
  for (size_t i = 0; i < h.size(); ++i) increment.push_back(next[i] - h[i]), deltas.push_back(a[i] + m[i]);

  std::vector<Correlation> correlations = block.Report().correlations;
  ASSERT_THAT(correlations, SizeIs(4));
  EXPECT_EQ(correlations[0].name, "H[L]~H[L+1]");
  EXPECT_NEAR(correlations[0].r, Oracle(h, next), 1e-13);
  EXPECT_EQ(correlations[1].name, "attn~mlp");
  EXPECT_NEAR(correlations[1].r, Oracle(a, m), 1e-13);
  EXPECT_EQ(correlations[2].name, "H[L+1]-H[L]~attn+mlp");
  EXPECT_NEAR(correlations[2].r, Oracle(increment, deltas), 1e-13);
  EXPECT_NEAR(correlations[2].r, 1, 1e-12);
  EXPECT_EQ(correlations[3].name, "H[L]~attn+mlp");
  EXPECT_NEAR(correlations[3].r, Oracle(h, deltas), 1e-13);
}

TEST(LayerCorrelationTest, TheMaskTakesOutliersFromAllFour) {
  Block block = RandomBlock(3, 0.7, 900);
  LayerReport report = block.Report();  // magnitude at most 30
  EXPECT_EQ(report.mask.total, 256u);
  EXPECT_EQ(report.mask.hidden, 64u);
  EXPECT_THAT(report.mask.dimensions, SizeIs(1));
  EXPECT_EQ(report.mask.dimensions[0], (HiddenCount{2, 64}));

  std::vector<double> h, next;
  for (size_t i = 0; i < 256; ++i) {
    if (i % 4 != 2) h.push_back(block.before[i]), next.push_back(block.after[i]);
  }
  EXPECT_NEAR(report.correlations[0].r_masked, Oracle(h, next), 1e-13);
  EXPECT_GT(report.correlations[0].r, 0.99999);  // the outliers alone make it so
  EXPECT_LT(report.correlations[0].r_masked, 0.98);
}

TEST(LayerCorrelationTest, WithoutDeltasThereIsNoCorrelationOfThem) {
  Block block({1, 2, 3, 4}, {0, 0, 0, 0}, {0, 0, 0, 0});
  LayerReport report = block.Report();
  EXPECT_DOUBLE_EQ(report.correlations[0].r, 1);
  for (size_t i = 1; i < 4; ++i) EXPECT_TRUE(std::isnan(report.correlations[i].r)) << i;
}

TEST(LayerCorrelationTest, AMaskThatHidesAllLeavesNone) {
  for (const Correlation& correlation : RandomBlock(3, 0.7, 0).Report({MaskRule::Kind::kMaxAbs, 0}).correlations) {
    EXPECT_FALSE(std::isnan(correlation.r)) << correlation.name;
    EXPECT_TRUE(std::isnan(correlation.r_masked)) << correlation.name;
  }
}

TEST(IncrementBoundTest, HoldsWhereTheStreamIsLargeAndTheDeltasSmall) {
  for (double delta : {1.0, 0.01, 0.001}) {
    for (float outlier : {0.0f, 3000.0f}) {
      Block block = RandomBlock(10, delta, outlier, 512);
      const double miss = 1 - block.Report().correlations[2].r;
      const double bound = IncrementBound(block.arrays());
      EXPECT_LE(miss, bound + 1e-12) << delta << " " << outlier;
      EXPECT_LT(bound, 100 * miss + 1e-9) << delta << " " << outlier << ": says nothing";
    }
  }
}

TEST(IncrementBoundTest, IsInfiniteWithoutDeltasAndNaNWithoutNumbers) {
  EXPECT_EQ(IncrementBound(Block({1, 2}, {0, 0}, {0, 0}).arrays()), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(IncrementBound(Block({1, 2}, {std::nanf(""), 0}, {0, 0}).arrays())));
}

TEST(IncrementBoundTest, IsOneOrMoreWhereTheStreamSwallowsTheDeltas) {
  Block block({1e8f, -1e8f, 1e8f, 1e8f}, {1, 2, -1, 3}, {1, -2, 1, 0});
  EXPECT_EQ(block.after, block.before);
  EXPECT_GE(IncrementBound(block.arrays()), 1);
}

}  // namespace
}  // namespace hydrophone
