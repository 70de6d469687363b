#include "server/checkpoint/convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "server/base/half.h"

namespace hydrophone {
namespace {

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
      const float expected = dtype == Dtype::kFloat16 ? FromHalf(bits) : FromBfloat(bits);
      ASSERT_EQ(std::bit_cast<uint32_t>(values[i]), std::bit_cast<uint32_t>(expected)) << bits;
    }
  }
}

TEST(ConvertTest, Float32IsCopied) {
  std::vector<float> values(1);
  ConvertToFloat32(Dtype::kFloat32, absl::string_view("\x00\x00\x80\x3f", 4), absl::MakeSpan(values));
  EXPECT_EQ(values[0], 1.0f);
}

TEST(ConvertTest, WritesNoMoreThanItsElements) {
  for (const Dtype dtype : {Dtype::kFloat32, Dtype::kFloat16, Dtype::kBfloat16}) {
    for (size_t count : {0u, 1u, 7u, 33u}) {
      std::vector<float> values(count + 2, 5.0f);
      const std::string stored(count * ElementSize(dtype), '\0');
      ConvertToFloat32(dtype, stored, absl::MakeSpan(values).subspan(1, count));
      EXPECT_EQ(values.front(), 5.0f);
      EXPECT_EQ(values.back(), 5.0f);
      EXPECT_EQ(std::count(values.begin() + 1, values.end() - 1, 0.0f), static_cast<std::ptrdiff_t>(count));
    }
  }
}

}  // namespace
}  // namespace hydrophone
