#include "server/verify/pearson.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace hydrophone {
namespace {

const std::vector<double> kX = {1.5, -2.25, 3, 0.125, 40, -7};
const std::vector<double> kY = {0.5, -1, 2.5, 8, -3, 0.25};

// The definition, in another order of operations and more digits.
double Oracle(const std::vector<double>& x, const std::vector<double>& y) {
  const long double n = static_cast<long double>(x.size());
  long double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) mean_x += x[i] / n, mean_y += y[i] / n;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return static_cast<double>(xy / std::sqrt(xx * yy));
}

TEST(PearsonTest, EqualsNumPys) {
  EXPECT_NEAR(Pearson(kX, kY), -0.4730572137893092, 1e-15);  // np.corrcoef(x, y)[0, 1]
}

TEST(PearsonTest, CountsOnlyWhatTheMaskLeaves) {
  EXPECT_NEAR(Pearson(kX, kY, {1, 1, 1, 1, 0, 1}), 0.34618169457619213,
              1e-15);  // without the fifth
}

TEST(PearsonTest, IsOneOfALineAndMinusOneOfItsMirror) {
  EXPECT_DOUBLE_EQ(Pearson({1, 2, 3}, {10, 20, 30}), 1);
  EXPECT_DOUBLE_EQ(Pearson({1, 2, 3}, {30, 20, 10}), -1);
}

TEST(PearsonTest, KeepsItsDigitsFarFromZero) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  std::vector<double> x, y;
  for (int i = 0; i < 5000; ++i) {
    x.push_back(1e6 + normal(random));
    y.push_back(-3e5 + 0.4 * (x.back() - 1e6) + normal(random));
  }
  EXPECT_NEAR(Pearson(x, y), Oracle(x, y), 1e-10);
}

TEST(PearsonTest, OfAConstantIsNotANumber) {
  EXPECT_TRUE(std::isnan(Pearson({5, 5, 5}, {1, 2, 3})));
  EXPECT_TRUE(std::isnan(Pearson({1, 2, 3}, {5, 5, 5})));
  // The rounded mean of these is not 0.1, so that their moments about it are not 0.
  EXPECT_TRUE(std::isnan(Pearson(std::vector<double>(10, 0.1), {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})));
}

TEST(PearsonTest, OfWhatTheMaskMakesConstantIsNotANumber) {
  EXPECT_TRUE(std::isnan(Pearson({5, 5, 6}, {1, 2, 3}, {1, 1, 0})));
}

TEST(PearsonTest, OfNothingIsNotANumber) {
  EXPECT_TRUE(std::isnan(Pearson({}, {})));
  EXPECT_TRUE(std::isnan(Pearson({1, 2}, {1, 2}, {0, 0})));
}

TEST(PearsonTest, DoesNotHideWhatIsNotFinite) {
  EXPECT_TRUE(std::isnan(Pearson({1, std::numeric_limits<double>::quiet_NaN(), 3}, {1, 2, 3})));
  EXPECT_TRUE(std::isnan(Pearson({1, std::numeric_limits<double>::infinity(), 3}, {1, 2, 3})));
}

}  // namespace
}  // namespace hydrophone
