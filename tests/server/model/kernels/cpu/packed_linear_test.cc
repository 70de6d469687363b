#include "server/model/kernels/cpu/packed_linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "server/model/libtorch/parallel.h"
#include "tests/server/model/seeded.h"

namespace hydrophone {
namespace {

using Activation = Activation;

// Widths that fill no panel, one panel, and several tiles; sums of one block and of several.
class PackedLinearTest : public testing::TestWithParam<std::pair<int64_t, int64_t>>, Seeded {
 protected:
  const int64_t in = GetParam().first, out = GetParam().second;
  const at::Tensor x = at::randn({400, in});
  const at::Tensor weight = at::randn({in, out});
  const at::Tensor bias = at::randn({out});
  const PackedLinear linear{weight, bias};

  // `inner` products of values around 1, in float32.
  static double Tolerance(int64_t inner) { return 2e-6 * static_cast<double>(inner); }
};

double Difference(const at::Tensor& y, const at::Tensor& exact) {
  EXPECT_EQ(y.sizes(), exact.sizes());
  return (y.to(at::kDouble) - exact).abs().max().item<double>();
}

TEST_P(PackedLinearTest, IsTheProductPlusTheBias) {
  const at::Tensor exact = at::matmul(x.to(at::kDouble), weight.to(at::kDouble)) + bias.to(at::kDouble);
  for (int64_t rows : {1, 3, 16, 31, 150, 400}) {
    EXPECT_LT(Difference(linear.Apply(x.narrow(0, 0, rows)), exact.narrow(0, 0, rows)), Tolerance(in));
  }
}

TEST_P(PackedLinearTest, AppliesTheActivationToThat) {
  EXPECT_TRUE(at::equal(linear.ApplyActivated(x, Activation::kRelu), linear.Apply(x).clamp_min(0)));
}

TEST_P(PackedLinearTest, MultipliesWithSomeOfTheWeightsRows) {
  const int64_t first = in / 3, count = in / 2;
  const at::Tensor part = x.narrow(1, 1, count);  // its rows lie apart
  const at::Tensor exact = at::matmul(part.to(at::kDouble), weight.narrow(0, first, count).to(at::kDouble));
  EXPECT_LT(Difference(linear.TimesRows(part, first), exact), Tolerance(count));
}

TEST_P(PackedLinearTest, GivesARowTheSameBitsWithAnyNeighboursAndThreads) {
  SetThreads(1);
  const at::Tensor all = linear.Apply(x);
  for (int threads : {1, 2, 3, 8}) {
    SetThreads(threads);
    for (int64_t first = 0; first < 400; first += 37) {
      for (int64_t rows = 1; first + rows <= 400; rows = rows * 2 + 1) {
        const at::Tensor some = linear.Apply(x.narrow(0, first, rows));
        ASSERT_TRUE(at::equal(some, all.narrow(0, first, rows))) << first << " " << rows << " threads " << threads;
      }
    }
  }
}

TEST_P(PackedLinearTest, TakesRowsThatLieApart) {
  const at::Tensor wide = at::randn({50, 3 * in});
  const at::Tensor part = wide.narrow(1, in, in);
  EXPECT_TRUE(at::equal(linear.Apply(part), linear.Apply(part.contiguous())));
  EXPECT_TRUE(at::equal(linear.Apply(part.t().contiguous().t()), linear.Apply(part.contiguous())));
}

TEST_P(PackedLinearTest, GivesTheWeightBack) { EXPECT_TRUE(at::equal(linear.WeightOnHost(), weight)); }

TEST_P(PackedLinearTest, ARowsNanStaysInItsRow) {
  at::Tensor damaged = x.clone();
  damaged[7][2] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor y = linear.Apply(damaged), before = linear.Apply(x);
  EXPECT_TRUE(y[7].isnan().all().item<bool>());
  EXPECT_TRUE(at::equal(y.narrow(0, 0, 7), before.narrow(0, 0, 7)));
  EXPECT_TRUE(at::equal(y.narrow(0, 8, 392), before.narrow(0, 8, 392)));
}

INSTANTIATE_TEST_SUITE_P(Sizes, PackedLinearTest,
                         testing::Values(std::pair(60, 1), std::pair(60, 20), std::pair(60, 32), std::pair(60, 193),
                                         std::pair(384, 400), std::pair(385, 100), std::pair(1000, 1024)));

class TimesTransposedTest : public testing::Test, Seeded {};

TEST_F(TimesTransposedTest, GivesADotProductTheSameBitsInAnyCompany) {
  const at::Tensor x = at::randn({400, 60}), vectors = at::randn({150, 60});
  const at::Tensor all = TimesTransposed(x, vectors);
  EXPECT_LT(Difference(all, at::matmul(x.to(at::kDouble), vectors.to(at::kDouble).t())), 2e-5);
  for (int threads : {1, 2, 8}) {
    SetThreads(threads);
    for (int64_t rows : {1, 5, 33}) {
      for (int64_t count : {1, 2, 31, 32, 33, 65}) {
        const at::Tensor some = TimesTransposed(x.narrow(0, 7, rows), vectors.narrow(0, 11, count));
        ASSERT_TRUE(at::equal(some, all.narrow(0, 7, rows).narrow(1, 11, count))) << rows << " " << count;
      }
    }
  }
}

TEST_F(TimesTransposedTest, HasTheBitsOfTheProductWithThePackedWeight) {
  const at::Tensor x = at::randn({30, 500}), weight = at::randn({500, 70});
  EXPECT_TRUE(at::equal(TimesTransposed(x, weight.t()), PackedLinear(weight, at::zeros({70})).Apply(x)));
}

}  // namespace
}  // namespace hydrophone
