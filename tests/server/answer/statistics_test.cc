#include "server/answer/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(MomentsOf, AreThePopulations) {
  Moments moments = MomentsOf({1, 2, 3, 4});
  EXPECT_EQ(moments.mean, 2.5);
  EXPECT_EQ(moments.std, std::sqrt(1.25));
  EXPECT_EQ(moments.min, 1);
  EXPECT_EQ(moments.max, 4);
  EXPECT_EQ(moments.l2, std::sqrt(30.0));
  EXPECT_EQ(moments.count, 4u);
}

TEST(MomentsOf, LeaveNonfiniteValuesOut) {
  Moments moments = MomentsOf({kNan, 3, -kInf, 5, kInf});
  EXPECT_EQ(moments.mean, 4);
  EXPECT_EQ(moments.std, 1);
  EXPECT_EQ(moments.min, 3);
  EXPECT_EQ(moments.max, 5);
  EXPECT_EQ(moments.count, 2u);
  EXPECT_EQ(moments.nonfinite, 3u);
}

TEST(MomentsOf, AreNanWithoutFiniteValues) {
  Moments moments = MomentsOf({kInf});
  for (double value : {moments.mean, moments.std, moments.min, moments.max, moments.l2}) EXPECT_TRUE(std::isnan(value));
  EXPECT_EQ(moments.count, 0u);
  EXPECT_EQ(moments.nonfinite, 1u);
}

TEST(MomentsOf, KeepTheDeviationOfLargeNearlyEqualValues) {
  std::vector<float> values;
  for (int i = 0; i < 100000; ++i) values.push_back(i % 2 == 0 ? 10000.0f : 10001.0f);
  Moments moments = MomentsOf(values);
  EXPECT_EQ(moments.mean, 10000.5);
  EXPECT_DOUBLE_EQ(moments.std, 0.5);
}

TEST(MomentsOf, TakeTheLargestFloats) {
  float most = std::numeric_limits<float>::max();
  Moments moments = MomentsOf({most, -most});
  EXPECT_EQ(moments.mean, 0);
  EXPECT_DOUBLE_EQ(moments.std, most);
}

TEST(ShareAbove, CountsMagnitudesOfFiniteValuesOnly) {
  EXPECT_EQ(ShareAbove({-3, 2, 2.5f, 0, kInf, kNan}, 2), 0.5);
  EXPECT_EQ(ShareAbove({1, 2}, 0), 1);
  EXPECT_TRUE(std::isnan(ShareAbove({kInf}, 0)));
}

// np.quantile of the values in float64, at the float32 quantiles.
TEST(QuantilesOf, AreNumPysToTheLastBit) {
  const std::vector<float> values = {3.5f, -1.25f, 0.1f, 7, 2, kNan, 2, -9.75f, -kInf};
  EXPECT_THAT(QuantilesOf(values, {0, 0.1f, 0.25f, 0.3333f, 0.5f, 0.77f, 0.9f, 1}),
              ElementsAre(-9.75, -0x1.2999994800000p+2, -0x1.2666666000000p-1, 0x1.987e706661280p-4, 2,
                          0x1.770a3c0000000p+1, 0x1.3999978000000p+2, 7));
}

TEST(QuantilesOf, KeepTheOrderAsked) { EXPECT_THAT(QuantilesOf({1, 2}, {1, 0, 0.5f}), ElementsAre(2, 1, 1.5)); }

TEST(QuantilesOf, OfOneValueAreThatValue) { EXPECT_THAT(QuantilesOf({4}, {0, 0.3f, 1}), ElementsAre(4, 4, 4)); }

TEST(QuantilesOf, AreNanWithoutFiniteValues) { EXPECT_TRUE(std::isnan(QuantilesOf({kNan}, {0.5f})[0])); }

TEST(LargestMagnitudes, ComeLargestFirstAndOfEqualsTheFirst) {
  EXPECT_THAT(LargestMagnitudes({1, -5, 5, 0, 4, -5}, 4), ElementsAre(1, 2, 5, 4));
  EXPECT_THAT(LargestMagnitudes({2, 2, 2, 2}, 2), ElementsAre(0, 1));
}

TEST(LargestMagnitudes, AreAllWhenThereAreNotAsMany) {
  EXPECT_THAT(LargestMagnitudes({kInf, 1, kNan, -2}, 3), ElementsAre(3, 1));
  EXPECT_THAT(LargestMagnitudes({}, 3), IsEmpty());
  EXPECT_THAT(LargestMagnitudes({1, 2}, 0), IsEmpty());
}

}  // namespace
}  // namespace hydrophone
