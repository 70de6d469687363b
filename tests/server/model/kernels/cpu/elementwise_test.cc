#include "server/model/kernels/cpu/elementwise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace hydrophone {
namespace {

using Activation = Activation;

double Exact(Activation activation, double x) {
  switch (activation) {
    case Activation::kGeluNew:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kQuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kRelu:
      return x > 0 ? x : 0;
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kGelu10:
      return std::clamp(0.5 * x * (1 + std::erf(x / std::sqrt(2.0))), -10.0, 10.0);
    case Activation::kHardswish:
      return x * std::clamp(x + 3, 0.0, 6.0) / 6;
    case Activation::kLaplace:
      return 0.5 * (1 + std::erf((x - 0.707107) / (0.282095 * std::sqrt(2.0))));
    case Activation::kLeakyRelu:
      return x > 0 ? x : 0.01 * x;
    case Activation::kLinear:
      return x;
    case Activation::kMish:
      return x * std::tanh(std::log1p(std::exp(x)));
    case Activation::kRelu2:
      return x > 0 ? x * x : 0;
    case Activation::kRelu6:
      return std::clamp(x, 0.0, 6.0);
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::kSqrtSoftplus:
      return std::sqrt(std::log1p(std::exp(x)));
  }
  return 0;
}

class ActivationTest : public testing::TestWithParam<Activation> {};

TEST_P(ActivationTest, IsTheExactFunctionRoundedToFloat) {
  std::vector<float> xs;
  for (int i = -10000; i <= 10000; ++i) xs.push_back(0.003f * static_cast<float>(i));
  std::vector<float> ys = xs;
  ApplyActivation(GetParam(), ys.data(), static_cast<int64_t>(ys.size()));
  for (size_t i = 0; i < xs.size(); ++i) {
    // The tail of a gelu cancels in float32 whatever the formula; there, 2e-7 of the argument is what float32 resolves.
    EXPECT_NEAR(
        ys[i], Exact(GetParam(), xs[i]),
        4e-7 * std::max(1.0, std::max(std::abs(static_cast<double>(xs[i])), std::abs(Exact(GetParam(), xs[i])))))
        << xs[i];
  }
}

TEST_P(ActivationTest, GivesAnElementTheSameBitsWhereverItStands) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> xs(67);
  for (float& x : xs) x = normal(random);
  std::vector<float> all = xs;
  ApplyActivation(GetParam(), all.data(), 67);
  for (int64_t first = 0; first < 67; ++first) {
    for (int64_t count = 1; first + count <= 67; count += 5) {
      std::vector<float> some(xs.begin() + first, xs.begin() + first + count);
      ApplyActivation(GetParam(), some.data(), count);
      ASSERT_EQ(0, std::memcmp(some.data(), all.data() + first, static_cast<size_t>(count) * sizeof(float)));
    }
  }
}

TEST_P(ActivationTest, KeepsNaNAndStaysFiniteAtTheEnds) {
  float values[] = {std::nanf(""), std::numeric_limits<float>::max(), -1e30f};
  ApplyActivation(GetParam(), values, 3);
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_TRUE(std::isfinite(values[1]) || GetParam() == Activation::kRelu2) << "its square is none of float32's";
  EXPECT_TRUE(std::isfinite(values[2]));
}

INSTANTIATE_TEST_SUITE_P(All, ActivationTest,
                         testing::Values(Activation::kGeluNew, Activation::kGelu, Activation::kQuickGelu,
                                         Activation::kRelu, Activation::kSilu, Activation::kTanh, Activation::kGelu10,
                                         Activation::kHardswish, Activation::kLaplace, Activation::kLeakyRelu,
                                         Activation::kLinear, Activation::kMish, Activation::kRelu2, Activation::kRelu6,
                                         Activation::kSigmoid, Activation::kSqrtSoftplus));

TEST(SoftmaxRowTest, IsTheSoftmaxOfTheFirstElements) {
  for (int64_t count : {1, 2, 15, 16, 17, 31, 32, 45, 64}) {
    std::vector<float> scores(64);
    for (size_t j = 0; j < scores.size(); ++j) scores[j] = static_cast<float>(std::sin(static_cast<double>(j)) * 20);
    const std::vector<float> before = scores;
    SoftmaxRow(scores.data(), count, 0.25f);
    double sum = 0;
    for (int64_t j = 0; j < count; ++j) sum += std::exp(0.25 * before[static_cast<size_t>(j)]);
    for (int64_t j = 0; j < count; ++j) {
      const double exact = std::exp(0.25 * before[static_cast<size_t>(j)]) / sum;
      EXPECT_NEAR(scores[static_cast<size_t>(j)], exact, 3e-7) << count << " " << j;
    }
  }
}

TEST(SoftmaxRowTest, NeitherReadsNorWritesBehindTheCount) {
  std::vector<float> a(64, 0.5f), b(64, 100.0f);
  std::copy(a.begin(), a.begin() + 21, b.begin());
  SoftmaxRow(a.data(), 21, 1);
  SoftmaxRow(b.data(), 21, 1);
  EXPECT_EQ(0, std::memcmp(a.data(), b.data(), 21 * sizeof(float)));
  EXPECT_EQ(a[21], 0.5f);
  EXPECT_EQ(b[21], 100.0f);
}

TEST(SoftmaxRowTest, WhatIsKnockedOutHasNoPart) {
  for (int64_t count : {3, 40}) {
    std::vector<float> scores(64, 1.0f);
    scores[1] = -std::numeric_limits<float>::infinity();
    scores[2] = -1e30f;
    SoftmaxRow(scores.data(), count, 0.5f);
    EXPECT_EQ(scores[1], 0.0f);
    EXPECT_EQ(scores[2], 0.0f);
    EXPECT_FLOAT_EQ(scores[0], 1 / static_cast<float>(count - 2));
  }
}

TEST(SoftmaxRowTest, DoesNotOverflowOnLargeScores) {
  std::vector<float> scores(16, 3e4f);
  SoftmaxRow(scores.data(), 2, 1);
  EXPECT_FLOAT_EQ(scores[0], 0.5f);
  EXPECT_FLOAT_EQ(scores[1], 0.5f);
}

}  // namespace
}  // namespace hydrophone
