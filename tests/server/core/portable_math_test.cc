#include "server/core/portable_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace hydrophone {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTwoPlaces = 2 * std::numeric_limits<double>::epsilon();

TEST(PortableMathTest, ExpIsWithinTwoPlacesOfTheExponential) {
  for (double x = -708; x < 709.7; x += 0.013) {
    // The exact one: float64 alone would leave the comparison to the C library's own rounding.
    const long double exact = std::exp(static_cast<long double>(x));
    EXPECT_LE(std::abs(static_cast<double>((PortableExp(x) - exact) / exact)), kTwoPlaces) << x;
  }
  EXPECT_EQ(PortableExp(0), 1);
  EXPECT_EQ(PortableExp(-0.0), 1);
}

TEST(PortableMathTest, ExpEndsAsTheNumbersDo) {
  EXPECT_EQ(PortableExp(-kInfinity), 0);
  EXPECT_EQ(PortableExp(-1000), 0);
  EXPECT_EQ(PortableExp(kInfinity), kInfinity);
  EXPECT_EQ(PortableExp(1000), kInfinity);
  EXPECT_GT(PortableExp(709.78), 1e308);
  EXPECT_GT(PortableExp(-708.39), 0);
  EXPECT_TRUE(std::isnan(PortableExp(std::nan(""))));
}

TEST(PortableMathTest, LogIsWithinTwoPlacesOfTheLogarithm) {
  for (double exponent = -1020; exponent < 1023; exponent += 0.37) {
    const double x = std::exp2(exponent);
    const long double exact = std::log(static_cast<long double>(x));
    EXPECT_LE(std::abs(static_cast<double>(PortableLog(x) - exact)),
              kTwoPlaces * std::max(0.5, std::abs(static_cast<double>(exact))))
        << x;
  }
  for (double x = 0.5; x < 2; x += 0.0007) {
    EXPECT_LE(std::abs(static_cast<double>(PortableLog(x) - std::log(static_cast<long double>(x)))), kTwoPlaces / 2)
        << x;
  }
  EXPECT_EQ(PortableLog(1), 0);
}

TEST(PortableMathTest, LogEndsAsTheNumbersDo) {
  EXPECT_EQ(PortableLog(0), -kInfinity);
  EXPECT_EQ(PortableLog(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(PortableLog(-1)));
  EXPECT_TRUE(std::isnan(PortableLog(std::nan(""))));
}

}  // namespace
}  // namespace hydrophone
