#include "server/model/taps/gather.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/server/model/seeded.h"

namespace hydrophone {
namespace {

// 5 positions of 3 heads of 4 features: element = 100 position + 10 head + feature.
at::Tensor Rows() {
  return (at::arange(5, at::kFloat).view({5, 1, 1}) * 100 + at::arange(3, at::kFloat).view({1, 3, 1}) * 10 +
          at::arange(4, at::kFloat).view({1, 1, 4}))
      .reshape({5, 12});
}

std::vector<float> Floats(const at::Tensor& tensor) {
  const float* data = tensor.const_data_ptr<float>();
  return {data, data + tensor.numel()};
}

TEST(GatherTest, TakesPositionsHeadsAndFeaturesInTheirOrder) {
  const at::Tensor gathered = Gather(GridOfRows(Rows(), 3), {4, 0}, Units{{2, 0}, {3, 1}});
  EXPECT_EQ(gathered.sizes(), (std::vector<int64_t>{2, 2, 2}));
  EXPECT_EQ(Floats(gathered), (std::vector<float>{423, 421, 403, 401, 23, 21, 3, 1}));
}

TEST(GatherTest, WithoutUnitsTakesAll) {
  EXPECT_EQ(Floats(Gather(GridOfRows(Rows(), 3), {1}, Units{})), Floats(Rows()[1]));
}

TEST(GatherTest, OfASquareQueriesArePositionsAndKeysFeatures) {
  const at::Tensor square = at::arange(18, at::kFloat).view({2, 3, 3});
  EXPECT_EQ(Floats(Gather(GridOfSquare(square), {2, 1}, Units{{1}, {0}})), (std::vector<float>{15, 12}));
}

class ReduceTest : public testing::Test, Seeded {};
class DotProductsTest : public testing::Test, Seeded {};

TEST_F(ReduceTest, MeansAreThoseOfFloat64RoundedOnce) {
  const at::Tensor rows = at::randn({7, 2, 5}) * 1000;
  const at::Tensor reduced = Reduce(rows, {4, 3}, Reduction::kMean);
  const at::Tensor exact =
      at::stack({rows.narrow(0, 0, 4).to(at::kDouble).mean(0), rows.narrow(0, 4, 3).to(at::kDouble).mean(0)});
  EXPECT_TRUE(at::equal(reduced, exact.to(at::kFloat)));
}

TEST_F(ReduceTest, AMaximumIsOfEachElementAndNaNIfOneIs) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor rows = at::tensor({1.0f, nan, 5.0f, 3.0f, 2.0f, -1.0f}).view({3, 1, 2});
  const std::vector<float> max = Floats(Reduce(rows, {2, 1}, Reduction::kMax));
  EXPECT_EQ(max[0], 5);
  EXPECT_TRUE(std::isnan(max[1]));
  EXPECT_EQ(max[2], 2);
  EXPECT_EQ(max[3], -1);
}

TEST_F(DotProductsTest, AreThoseOfFloat64RoundedOnce) {
  const at::Tensor rows = at::randn({6, 11}), vectors = at::randn({3, 11});
  const at::Tensor exact = (rows.to(at::kDouble).unsqueeze(1) * vectors.to(at::kDouble).unsqueeze(0)).sum(2);
  EXPECT_LT((DotProducts(rows, vectors) - exact).abs().max().item<double>(), 1e-6);
}

}  // namespace
}  // namespace hydrophone
