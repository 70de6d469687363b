#include "server/checkpoint/convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "server/base/half.h"

namespace hydrophone {
namespace {

// Long and at an odd address, so that vector loops and their tails meet it.
TEST(ConvertTest, ArraysConvertAsTheirElementsDo) {
  for (const StoredType type : {StoredType::kFloat16, StoredType::kBfloat16}) {
    std::string stored = "x";
    for (uint32_t bits = 0; bits < 65536; bits += 3) {
      stored.push_back(static_cast<char>(bits & 0xff));
      stored.push_back(static_cast<char>(bits >> 8));
    }
    std::vector<float> values((stored.size() - 1) / 2);
    ConvertToFloat32(type, absl::string_view(stored).substr(1), absl::MakeSpan(values));
    for (size_t i = 0; i < values.size(); ++i) {
      const auto bits = static_cast<uint16_t>(3 * i);
      const float expected = type == StoredType::kFloat16 ? FromHalf(bits) : FromBfloat(bits);
      ASSERT_EQ(std::bit_cast<uint32_t>(values[i]), std::bit_cast<uint32_t>(expected)) << bits;
    }
  }
}

TEST(ConvertTest, Float32IsCopied) {
  std::vector<float> values(1);
  ConvertToFloat32(StoredType::kFloat32, absl::string_view("\x00\x00\x80\x3f", 4), absl::MakeSpan(values));
  EXPECT_EQ(values[0], 1.0f);
}

TEST(ConvertTest, Float64IsRoundedToNearestEven) {
  const std::vector<double> stored = {1.0 + 0x1p-24, 1.0 + 3 * 0x1p-24, 1e300, -0.0};
  std::vector<float> values(stored.size());
  ConvertToFloat32(StoredType::kFloat64, {reinterpret_cast<const char*>(stored.data()), stored.size() * sizeof(double)},
                   absl::MakeSpan(values));
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], 1.0f + 0x1p-22f);
  EXPECT_EQ(values[2], std::numeric_limits<float>::infinity());
  EXPECT_EQ(std::bit_cast<uint32_t>(values[3]), 0x80000000u);
}

TEST(ConvertTest, WritesNoMoreThanItsElements) {
  for (const StoredType type :
       {StoredType::kFloat32, StoredType::kFloat16, StoredType::kBfloat16, StoredType::kFloat64}) {
    for (size_t count : {0u, 1u, 7u, 33u}) {
      std::vector<float> values(count + 2, 5.0f);
      const std::string stored(count * ElementSize(type), '\0');
      ConvertToFloat32(type, stored, absl::MakeSpan(values).subspan(1, count));
      EXPECT_EQ(values.front(), 5.0f);
      EXPECT_EQ(values.back(), 5.0f);
      EXPECT_EQ(std::count(values.begin() + 1, values.end() - 1, 0.0f), static_cast<std::ptrdiff_t>(count));
    }
  }
}

}  // namespace
}  // namespace hydrophone
