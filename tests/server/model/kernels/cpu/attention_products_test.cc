#include "server/model/kernels/cpu/attention_products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace hydrophone {
namespace {

using testing::Each;

// The rows of the positions lie in memory in reverse order, so that code that takes them for side by side fails.
class PackedHeadTest : public testing::TestWithParam<int64_t> {
 protected:
  static constexpr int64_t kCount = 45, kStride = 100, kMostRows = 13;

  PackedHeadTest() : d_head_(GetParam()) {
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    for (std::vector<float>* matrix : {&q_, &k_, &v_, &pattern_}) {
      matrix->resize(kCount * kStride);
      for (float& x : *matrix) x = normal(random);
    }
    rows_.resize(kCount);
    std::iota(rows_.rbegin(), rows_.rend(), int64_t{0});
    Pack();
  }

  void Pack() { packed_.Pack({k_.data(), kStride, rows_}, {v_.data(), kStride, rows_}, d_head_); }
  const float* RowOf(const std::vector<float>& matrix, int64_t position) const {
    return matrix.data() + (kCount - 1 - position) * kStride;
  }

  // z's rows [first, first + rows).
  std::vector<float> Mixed(int64_t first, int64_t rows) const {
    std::vector<float> z(static_cast<size_t>(rows * d_head_));
    packed_.Mix({pattern_.data() + first * kStride, kStride}, first, rows, {z.data(), d_head_});
    return z;
  }
  std::vector<float> Scored(int64_t first, int64_t rows, int64_t keys) const {
    const int64_t stride = PackedHead::Padded(keys);
    std::vector<float> scores(static_cast<size_t>(rows * stride));
    packed_.Score({q_.data() + first * kStride, kStride}, rows, keys, {scores.data(), stride});
    return scores;
  }

  const int64_t d_head_;
  std::vector<float> q_, k_, v_, pattern_;
  std::vector<int64_t> rows_;
  PackedHead packed_;
};

TEST_P(PackedHeadTest, ScoresAreDotProducts) {
  const std::vector<float> scores = Scored(3, 4, 40);
  for (int64_t i = 0; i < 4; ++i) {
    for (int64_t j = 0; j < 40; ++j) {
      double exact = 0;
      for (int64_t d = 0; d < d_head_; ++d) {
        exact +=
            static_cast<double>(q_[static_cast<size_t>((3 + i) * kStride + d)]) * static_cast<double>(RowOf(k_, j)[d]);
      }
      // Sums of up to 70 products of values around 1.
      EXPECT_NEAR(scores[static_cast<size_t>(i * PackedHead::Padded(40) + j)], exact, 2e-5) << i << " " << j;
    }
  }
}

TEST_P(PackedHeadTest, MixesTheValuesUpToEachRow) {
  const std::vector<float> z = Mixed(20, 5);
  for (int64_t i = 0; i < 5; ++i) {
    for (int64_t d = 0; d < d_head_; ++d) {
      double exact = 0;
      for (int64_t j = 0; j <= 20 + i; ++j) {
        exact += static_cast<double>(pattern_[static_cast<size_t>((20 + i) * kStride + j)]) *
                 static_cast<double>(RowOf(v_, j)[d]);
      }
      EXPECT_NEAR(z[static_cast<size_t>(i * d_head_ + d)], exact, 2e-5) << i << " " << d;
    }
  }
}

TEST_P(PackedHeadTest, GivesARowTheSameBitsInEveryGroup) {
  const std::vector<float> alone_z = Mixed(20, 1), alone_scores = Scored(20, 1, 45);
  for (int64_t rows = 2; rows <= kMostRows; ++rows) {
    for (int64_t before = 0; before < rows; ++before) {
      const std::vector<float> z = Mixed(20 - before, rows), scores = Scored(20 - before, rows, 45);
      EXPECT_TRUE(std::equal(alone_z.begin(), alone_z.end(), z.begin() + before * d_head_)) << rows << " " << before;
      EXPECT_TRUE(
          std::equal(alone_scores.begin(), alone_scores.end(), scores.begin() + before * PackedHead::Padded(45)));
    }
  }
}

TEST_P(PackedHeadTest, TouchesNothingThatComesAfterARow) {
  const std::vector<float> before = Mixed(20, kMostRows);
  for (int64_t position = 20 + kMostRows; position < kCount; ++position) {
    std::fill_n(v_.data() + (kCount - 1 - position) * kStride, kStride, std::numeric_limits<float>::quiet_NaN());
  }
  Pack();
  EXPECT_EQ(Mixed(20, kMostRows), before);
}

TEST_P(PackedHeadTest, ForgetsWhatItHeldWhenItIsPackedAgain) {
  const std::vector<int64_t> two = {0, 1};
  packed_.Pack({k_.data(), kStride, two}, {v_.data(), kStride, two}, d_head_);
  EXPECT_EQ(packed_.count(), 2);
  const std::vector<float> scores = Scored(0, 1, 2);
  EXPECT_THAT(std::vector<float>(scores.begin() + 2, scores.end()), Each(0.0f));
}

INSTANTIATE_TEST_SUITE_P(HeadWidths, PackedHeadTest, testing::Values(1, 5, 16, 20, 64, 70));

}  // namespace
}  // namespace hydrophone
