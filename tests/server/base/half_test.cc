#include "server/base/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace hydrophone {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// The value by the definition of an IEEE format with so many exponent and fraction bits.
double ByDefinition(uint32_t bits, int exponent_bits, int fraction_bits) {
  const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const int fraction = static_cast<int>(bits & ((1u << fraction_bits) - 1));
  const double sign = bits >> (exponent_bits + fraction_bits) ? -1 : 1;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
}

void ExpectSame(uint32_t stored, float value, double expected) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(value)) << stored;
    return;
  }
  EXPECT_EQ(static_cast<double>(value), expected) << stored;
  EXPECT_EQ(std::signbit(value), std::signbit(expected)) << stored;
}

TEST(Half, EveryFloat16HasTheValueOfItsDefinition) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    ExpectSame(bits, FromHalf(static_cast<uint16_t>(bits)), ByDefinition(bits, 5, 10));
  }
}

TEST(Half, EveryBfloat16HasTheValueOfItsDefinition) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    ExpectSame(bits, FromBfloat(static_cast<uint16_t>(bits)), ByDefinition(bits, 8, 7));
  }
}

TEST(Half, NansKeepSignAndPayload) {
  EXPECT_EQ(std::bit_cast<uint32_t>(FromHalf(0x7e00)), 0x7fc00000u);
  EXPECT_EQ(std::bit_cast<uint32_t>(FromHalf(0xfc01)), 0xff802000u);
  EXPECT_EQ(std::bit_cast<uint32_t>(FromBfloat(0xffc1)), 0xffc10000u);
}

TEST(Half, AllValuesComeBackAsTheyWere) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = FromHalf(half);
    const bool is_nan = (bits & 0x7C00) == 0x7C00 && (bits & 0x3FF) != 0;
    ASSERT_EQ(std::isnan(value), is_nan) << bits;
    // A signalling NaN comes back quiet.
    ASSERT_EQ(HalfOf(value), is_nan ? bits | 0x200 : bits);
  }
}

TEST(Half, KnownValues) {
  EXPECT_EQ(FromHalf(0x3C00), 1.0f);
  EXPECT_EQ(FromHalf(0xC500), -5.0f);
  EXPECT_EQ(FromHalf(0x7BFF), 65504.0f);
  EXPECT_EQ(FromHalf(0x0400), 0x1p-14f);
  EXPECT_EQ(FromHalf(0x0001), 0x1p-24f);
  EXPECT_EQ(FromHalf(0x7C00), kInf);
  EXPECT_TRUE(std::signbit(FromHalf(0x8000)));
  EXPECT_EQ(HalfOf(0.1f), 0x2E66);
}

// Halfway between neighbours goes to the even one, and anything beyond to the nearer.
TEST(Half, RoundsToNearestEvenBetweenAllNeighbours) {
  for (uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const float low = FromHalf(static_cast<uint16_t>(bits));
    const float high = FromHalf(static_cast<uint16_t>(bits + 1));
    const float middle = low + (high - low) / 2;  // exact: float32 has 13 bits more
    ASSERT_EQ(HalfOf(middle), bits % 2 == 0 ? bits : bits + 1);
    ASSERT_EQ(HalfOf(std::nextafter(middle, 0.0f)), bits);
    ASSERT_EQ(HalfOf(std::nextafter(middle, kInf)), bits + 1);
    ASSERT_EQ(HalfOf(-middle), 0x8000u | HalfOf(middle));
  }
}

TEST(Half, LargeMagnitudesBecomeInfinite) {
  EXPECT_EQ(HalfOf(std::nextafter(65520.0f, 0.0f)), 0x7BFF);
  EXPECT_EQ(HalfOf(65520.0f), 0x7C00);
  EXPECT_EQ(HalfOf(65536.0f), 0x7C00);
  EXPECT_EQ(HalfOf(-std::numeric_limits<float>::max()), 0xFC00);
  EXPECT_EQ(HalfOf(-kInf), 0xFC00);
}

TEST(Half, SmallMagnitudesBecomeZeroOfTheirSign) {
  EXPECT_EQ(HalfOf(0x1p-25f), 0x0000);
  EXPECT_EQ(HalfOf(std::nextafter(0x1p-25f, 1.0f)), 0x0001);
  EXPECT_EQ(HalfOf(-std::numeric_limits<float>::denorm_min()), 0x8000);
  EXPECT_EQ(HalfOf(-0.0f), 0x8000);
}

TEST(Half, NansStayNans) {
  for (uint32_t bits : {0x7F800001u, 0x7FC00000u, 0xFFFFFFFFu, 0xFF802000u}) {
    EXPECT_TRUE(std::isnan(FromHalf(HalfOf(std::bit_cast<float>(bits))))) << bits;
  }
}

TEST(Bfloat, AllValuesComeBackAsTheyWere) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float value = FromBfloat(static_cast<uint16_t>(bits));
    const bool is_nan = (bits & 0x7F80) == 0x7F80 && (bits & 0x7F) != 0;
    ASSERT_EQ(std::isnan(value), is_nan) << bits;
    ASSERT_EQ(BfloatOf(value), is_nan ? bits | 0x40 : bits);
  }
}

TEST(Bfloat, RoundsToNearestEvenBetweenAllNeighbours) {
  for (uint32_t bits = 0; bits < 0x7F80; ++bits) {
    const uint32_t middle = bits << 16 | 0x8000;
    ASSERT_EQ(BfloatOf(std::bit_cast<float>(middle)), bits % 2 == 0 ? bits : bits + 1);
    ASSERT_EQ(BfloatOf(std::bit_cast<float>(middle - 1)), bits);
    ASSERT_EQ(BfloatOf(std::bit_cast<float>(middle + 1)), bits + 1);
    ASSERT_EQ(BfloatOf(-std::bit_cast<float>(middle)), 0x8000u | BfloatOf(std::bit_cast<float>(middle)));
  }
}

TEST(Bfloat, LargeMagnitudesBecomeInfiniteAndNansStayNans) {
  EXPECT_EQ(BfloatOf(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_EQ(BfloatOf(-kInf), 0xFF80);
  EXPECT_TRUE(std::isnan(FromBfloat(BfloatOf(std::bit_cast<float>(0x7F800001)))));
  EXPECT_TRUE(std::isnan(FromBfloat(BfloatOf(std::bit_cast<float>(0x7FFFFFFF)))));
}

}  // namespace
}  // namespace hydrophone
