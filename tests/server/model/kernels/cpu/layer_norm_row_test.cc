#include "server/model/kernels/cpu/layer_norm_row.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace hydrophone {
namespace {

constexpr double kEpsilon = 1e-5;

std::vector<float> RandomFloats(int64_t count, float mean, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(mean, 2);
  std::vector<float> floats(static_cast<size_t>(count));
  for (float& value : floats) value = normal(random);
  return floats;
}

TEST(LayerNormRowTest, IsTheLayerNormOfTheRow) {
  for (int64_t count : {1, 3, 31, 32, 33, 64, 100, 768}) {
    const std::vector<float> x = RandomFloats(count, 5, 1), weight = RandomFloats(count, 1, 2),
                             bias = RandomFloats(count, 0, 3);
    std::vector<float> y(x.size()), plain(x.size());
    LayerNormRow(x.data(), count, kEpsilon, {weight.data(), bias.data()}, y.data());
    LayerNormRow(x.data(), count, kEpsilon, {}, plain.data());
    double mean = 0, variance = 0;
    for (float value : x) mean += static_cast<double>(value) / static_cast<double>(count);
    for (float value : x) variance += std::pow(static_cast<double>(value) - mean, 2) / static_cast<double>(count);
    for (size_t j = 0; j < x.size(); ++j) {
      const double exact = (static_cast<double>(x[j]) - mean) / std::sqrt(variance + kEpsilon);
      // Rounding the mean, of size 5, moves the normalised element; a row of one element has nothing else.
      const double room = 1e-6 * (1 + 5 / std::sqrt(variance + kEpsilon) * 0.1);
      EXPECT_NEAR(plain[j], exact, room) << count << " " << j;
      EXPECT_NEAR(y[j], exact * static_cast<double>(weight[j]) + static_cast<double>(bias[j]),
                  room * (2 + std::abs(static_cast<double>(weight[j]))))
          << count << " " << j;
    }
  }
}

TEST(LayerNormRowTest, HasTheSumsThatItsCommentSays) {
  constexpr int64_t kCount = 75;
  const std::vector<float> x = RandomFloats(kCount, 1, 4);
  const auto sum = [&](auto part) {
    std::vector<float> lanes(32);
    for (size_t j = 0; j < x.size(); ++j) lanes[j % 32] += part(x[j]);
    std::vector<double> sums(lanes.begin(), lanes.end());
    for (size_t half = 16; half > 0; half /= 2) {
      for (size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
    }
    return sums[0];
  };
  const float mean = static_cast<float>(sum([](float value) { return value; }) / kCount);
  const double variance = sum([&](float value) { return (value - mean) * (value - mean); }) / kCount;
  const float rstd = static_cast<float>(1.0 / std::sqrt(variance + kEpsilon));
  std::vector<float> y(x.size());
  LayerNormRow(x.data(), kCount, kEpsilon, {}, y.data());
  for (size_t j = 0; j < x.size(); ++j) EXPECT_EQ(y[j], (x[j] - mean) * rstd) << j;
}

TEST(LayerNormRowTest, WritesInPlaceAndNothingBeside) {
  std::vector<float> x = RandomFloats(40, 0, 5), y(41, 7.0f);
  LayerNormRow(x.data(), 40, kEpsilon, {}, y.data());
  EXPECT_EQ(y[40], 7.0f);
  LayerNormRow(x.data(), 40, kEpsilon, {}, x.data());
  EXPECT_EQ(0, std::memcmp(x.data(), y.data(), 40 * sizeof(float)));
}

TEST(LayerNormRowTest, ANumberThatIsNoneMakesItsRowNone) {
  std::vector<float> x(40, 1.0f);
  x[3] = std::numeric_limits<float>::quiet_NaN();
  LayerNormRow(x.data(), 40, kEpsilon, {}, x.data());
  for (float value : x) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace hydrophone
