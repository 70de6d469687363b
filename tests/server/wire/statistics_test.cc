#include "server/wire/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace hydrophone {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(CountNonfinite, CountsInfinitiesAndNans) {
  EXPECT_EQ(CountNonfinite({}), 0u);
  std::vector<float> values(3000001, std::numeric_limits<float>::max());
  EXPECT_EQ(CountNonfinite(values), 0u);
  values.front() = kInf;
  values[1 << 20] = -kInf;
  values.back() = -kNan;
  EXPECT_EQ(CountNonfinite(values), 3u);
}

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
  for (double value : {moments.mean, moments.std, moments.min, moments.max, moments.l2})
    EXPECT_TRUE(std::isnan(value));
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

}  // namespace
}  // namespace hydrophone
