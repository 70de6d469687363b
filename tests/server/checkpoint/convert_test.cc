#include "server/checkpoint/convert.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace hydrophone {
namespace {

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

void ExpectSame(uint32_t stored, uint32_t widened, double expected) {
  const float value = std::bit_cast<float>(widened);
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(value)) << stored;
    return;
  }
  EXPECT_EQ(static_cast<double>(value), expected) << stored;
  EXPECT_EQ(std::signbit(value), std::signbit(expected)) << stored;
}

TEST(ConvertTest, EveryFloat16HasItsValue) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    ExpectSame(bits, Float16ToFloat32Bits(static_cast<uint16_t>(bits)), ByDefinition(bits, 5, 10));
  }
}

TEST(ConvertTest, EveryBfloat16HasItsValue) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    ExpectSame(bits, Bfloat16ToFloat32Bits(static_cast<uint16_t>(bits)), ByDefinition(bits, 8, 7));
  }
}

TEST(ConvertTest, NansKeepSignAndPayload) {
  EXPECT_EQ(Float16ToFloat32Bits(0x7e00), 0x7fc00000u);
  EXPECT_EQ(Float16ToFloat32Bits(0xfc01), 0xff802000u);
  EXPECT_EQ(Bfloat16ToFloat32Bits(0xffc1), 0xffc10000u);
}

// Long and at an odd address, so that vector loops and their tails meet it.
TEST(ConvertTest, ArraysConvertAsTheirElementsDo) {
  for (const Dtype dtype : {Dtype::kFloat16, Dtype::kBfloat16}) {
    std::string stored = "x";
    for (uint32_t bits = 0; bits < 65536; bits += 3) {
      stored.push_back(static_cast<char>(bits & 0xff));
      stored.push_back(static_cast<char>(bits >> 8));
    }
    std::vector<float> values((stored.size() - 1) / 2);
    ConvertToFloat32(dtype, absl::string_view(stored).substr(1), absl::MakeSpan(values));
    for (size_t i = 0; i < values.size(); ++i) {
      const auto bits = static_cast<uint16_t>(3 * i);
      const uint32_t expected = dtype == Dtype::kFloat16 ? Float16ToFloat32Bits(bits) : Bfloat16ToFloat32Bits(bits);
      ASSERT_EQ(std::bit_cast<uint32_t>(values[i]), expected) << bits;
    }
  }
}

TEST(ConvertTest, Float32IsCopied) {
  std::vector<float> values(1);
  ConvertToFloat32(Dtype::kFloat32, absl::string_view("\x00\x00\x80\x3f", 4), absl::MakeSpan(values));
  EXPECT_EQ(values[0], 1.0f);
}

TEST(ConvertTest, NothingConvertsToNothing) {
  ConvertToFloat32(Dtype::kFloat32, "", {});
  ConvertToFloat32(Dtype::kFloat16, "", {});
}

}  // namespace
}  // namespace hydrophone
