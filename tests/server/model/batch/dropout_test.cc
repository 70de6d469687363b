#include "server/model/batch/dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hydrophone {
namespace {

std::vector<float> Dropped(uint64_t key, DropoutPlace place, int layer, int64_t row, double p, size_t count = 1000) {
  std::vector<float> values(count, 1.0f);
  DropRow(key, place, layer, row, p, values.data(), static_cast<int64_t>(count));
  return values;
}

TEST(DropoutTest, KeepsElementsTimesOneOverTheKeepRateOrSetsZero) {
  for (float value : Dropped(1, DropoutPlace::kMlp, 0, 0, 0.1)) {
    EXPECT_TRUE(value == 0.0f || value == static_cast<float>(1 / (1 - 0.1))) << value;
  }
}

// 1e6 draws of a coin of 0.1 have a standard deviation of 300.
TEST(DropoutTest, DropsAtTheRateWithinSamplingError) {
  int zeros = 0;
  for (int64_t row = 0; row < 1000; ++row) {
    for (float value : Dropped(7, DropoutPlace::kAttention, 3, row, 0.1)) zeros += value == 0.0f;
  }
  EXPECT_NEAR(zeros, 100000, 5 * 300);
}

TEST(DropoutTest, EveryKeyPlaceLayerAndRowDrawsItsOwn) {
  const std::vector<float> one = Dropped(1, DropoutPlace::kMlp, 2, 5, 0.5);
  EXPECT_EQ(one, Dropped(1, DropoutPlace::kMlp, 2, 5, 0.5));
  EXPECT_NE(one, Dropped(2, DropoutPlace::kMlp, 2, 5, 0.5));
  EXPECT_NE(one, Dropped(1, DropoutPlace::kAttention, 2, 5, 0.5));
  EXPECT_NE(one, Dropped(1, DropoutPlace::kMlp, 3, 5, 0.5));
  EXPECT_NE(one, Dropped(1, DropoutPlace::kMlp, 2, 6, 0.5));
}

TEST(DropoutTest, AShorterRowDrawsTheSame) {
  std::vector<float> all = Dropped(1, DropoutPlace::kPattern, 2, 5, 0.5, 100);
  all.resize(37);
  EXPECT_EQ(all, Dropped(1, DropoutPlace::kPattern, 2, 5, 0.5, 37));
}

TEST(DropoutTest, ProbabilityZeroKeepsAllAndOneKeepsNone) {
  EXPECT_EQ(Dropped(1, DropoutPlace::kMlp, 0, 0, 0.0), std::vector<float>(1000, 1.0f));
  EXPECT_EQ(Dropped(1, DropoutPlace::kMlp, 0, 0, 1.0), std::vector<float>(1000, 0.0f));
}

TEST(DropoutKeyTest, FollowsTheSeedAndTheTokens) {
  EXPECT_EQ(DropoutKey(1, {2, 3}), DropoutKey(1, {2, 3}));
  EXPECT_NE(DropoutKey(1, {2, 3}), DropoutKey(2, {2, 3}));
  EXPECT_NE(DropoutKey(1, {2, 3}), DropoutKey(1, {3, 2}));
  EXPECT_NE(DropoutKey(1, {2, 3}), DropoutKey(1, {2}));
}

}  // namespace
}  // namespace hydrophone
