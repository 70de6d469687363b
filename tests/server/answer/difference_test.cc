#include "server/answer/difference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace hydrophone {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(DifferenceOf, MeasuresNormsAndTheLargest) {
  Difference difference = DifferenceOf({3, 4, 0}, {0, 4, -4});
  EXPECT_EQ(difference.difference_l2, 5);
  EXPECT_EQ(difference.difference_max, 4);
  EXPECT_EQ(difference.run_l2, 5);
  EXPECT_EQ(difference.baseline_l2, std::sqrt(32.0));
  EXPECT_DOUBLE_EQ(difference.cosine, 16 / (5 * std::sqrt(32.0)));
  EXPECT_EQ(difference.count, 3u);
  EXPECT_EQ(difference.nonfinite, 0u);
}

TEST(DifferenceOf, CorrelatesWhateverScaleAndOffset) {
  EXPECT_DOUBLE_EQ(DifferenceOf({1, 2, 3}, {10, 30, 50}).pearson_r, 1);
  EXPECT_DOUBLE_EQ(DifferenceOf({1, 2, 3}, {-10, -30, -50}).pearson_r, -1);
  EXPECT_DOUBLE_EQ(DifferenceOf({1, 2, 3}, {1, -2, 1}).pearson_r, 0);
}

TEST(DifferenceOf, KeepsTheCorrelationOfLargeNearlyEqualValues) {
  std::vector<float> run, baseline;
  for (int i = 0; i < 1000; ++i) {
    run.push_back(i % 2 == 0 ? 1e6f : 1e6f + 1);
    baseline.push_back(i % 2 == 0 ? -1e6f : -1e6f - 1);
  }
  EXPECT_DOUBLE_EQ(DifferenceOf(run, baseline).pearson_r, -1);
}

TEST(DifferenceOf, LeavesOutWhatIsNotFiniteInEither) {
  Difference difference = DifferenceOf({kInf, 1, kNan, 2}, {kInf, kNan, 1, 4});
  EXPECT_EQ(difference.count, 1u);
  EXPECT_EQ(difference.nonfinite, 3u);
  EXPECT_EQ(difference.difference_l2, 2);
  EXPECT_EQ(difference.cosine, 1);
}

TEST(DifferenceOf, HasNoCosineWithZerosAndNoCorrelationWithAConstant) {
  EXPECT_TRUE(std::isnan(DifferenceOf({0, 0}, {1, 2}).cosine));
  EXPECT_TRUE(std::isnan(DifferenceOf({0.1f, 0.1f, 0.1f}, {1, 2, 3}).pearson_r));
  EXPECT_FALSE(std::isnan(DifferenceOf({0.1f, 0.1f, 0.1f}, {1, 2, 3}).cosine));
}

TEST(DifferenceOf, OfNothingIsZeroAndNan) {
  Difference difference = DifferenceOf({}, {});
  EXPECT_EQ(difference.difference_l2, 0);
  EXPECT_EQ(difference.difference_max, 0);
  EXPECT_TRUE(std::isnan(difference.cosine));
  EXPECT_TRUE(std::isnan(difference.pearson_r));
}

TEST(DifferenceOf, EqualRunsDoNotDiffer) {
  const std::vector<float> values = {0.1f, -0.7f, 3e38f, 1e-38f};
  Difference difference = DifferenceOf(values, values);
  EXPECT_EQ(difference.difference_l2, 0);
  EXPECT_DOUBLE_EQ(difference.cosine, 1);
  EXPECT_DOUBLE_EQ(difference.pearson_r, 1);
}

}  // namespace
}  // namespace hydrophone
