#include "server/model/linear.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "server/model/numerics.h"

namespace hydrophone {
namespace {

// Before the first product, as main does.
const bool kConfigured = (ConfigureNumerics(), true);

class Conv1DTest : public testing::TestWithParam<RowBlocking> {
 protected:
  const at::Tensor x = at::randn({400, 60});
  const at::Tensor weight = at::randn({60, 400});
  const at::Tensor bias = at::randn({400});
};

TEST_P(Conv1DTest, IsTheProductPlusTheBias) {
  ASSERT_TRUE(kConfigured);
  for (int64_t rows : {1, 3, 16, 31, 32, 33, 150, 400}) {
    const at::Tensor some = x.narrow(0, 0, rows);
    const at::Tensor y = Conv1D(some, weight, bias, GetParam());
    const at::Tensor exact = at::matmul(some.to(at::kDouble), weight.to(at::kDouble)) + bias.to(at::kDouble);
    EXPECT_EQ(y.sizes(), exact.sizes());
    // 60 products of values around 1 in float32.
    EXPECT_LT((y.to(at::kDouble) - exact).abs().max().item<double>(), 2e-5);
  }
}

TEST_P(Conv1DTest, GivesARowTheSameBitsWithAnyNeighboursAndThreads) {
  const at::Tensor all = Conv1D(x, weight, bias, GetParam());
  for (int threads : {1, 2, 3, 8}) {
    at::set_num_threads(threads);
    for (int64_t first = 0; first < 400; first += 37) {
      for (int64_t rows = 1; first + rows <= 400; rows = rows * 2 + 1) {
        const at::Tensor some = Conv1D(x.narrow(0, first, rows), weight, bias, GetParam());
        ASSERT_TRUE(at::equal(some, all.narrow(0, first, rows))) << first << " " << rows << " threads " << threads;
      }
    }
  }
}

// Narrow products, which libraries split over many threads in other places than over few. (A single column is a product with a
// vector, which kFree leaves to the probe.)
TEST_P(Conv1DTest, GivesTheSameBitsOnAnyNumberOfThreads) {
  for (int64_t out : {20, 60, 100, 193}) {
    const at::Tensor narrow = weight.narrow(1, 0, out).contiguous();
    at::set_num_threads(1);
    const at::Tensor alone = Conv1D(x, narrow, bias.narrow(0, 0, out), GetParam());
    for (int threads : {2, 3, 8, 16}) {
      at::set_num_threads(threads);
      for (int64_t rows : {1, 16, 17, 400}) {
        ASSERT_TRUE(at::equal(Conv1D(x.narrow(0, 0, rows), narrow, bias.narrow(0, 0, out), GetParam()),
                              alone.narrow(0, 0, rows)))
            << out << " columns, " << rows << " rows, " << threads << " threads";
      }
    }
  }
}

TEST_P(Conv1DTest, TransposedGivesADotProductTheSameBitsInAnyCompany) {
  const at::Tensor vectors = at::randn({150, 60});
  const at::Tensor all = TimesTransposed(x, vectors, GetParam());
  const at::Tensor exact = at::matmul(x.to(at::kDouble), vectors.to(at::kDouble).t());
  EXPECT_LT((all.to(at::kDouble) - exact).abs().max().item<double>(), 2e-5);
  for (int threads : {1, 2, 8}) {
    at::set_num_threads(threads);
    for (int64_t rows : {1, 5, 33}) {
      for (int64_t count : {1, 2, 63, 64, 65}) {
        const at::Tensor some = TimesTransposed(x.narrow(0, 7, rows), vectors.narrow(0, 11, count), GetParam());
        ASSERT_TRUE(at::equal(some, all.narrow(0, 7, rows).narrow(1, 11, count))) << rows << " " << count;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Both, Conv1DTest, testing::Values(RowBlocking::kFree, RowBlocking::kFixed));

}  // namespace
}  // namespace hydrophone
