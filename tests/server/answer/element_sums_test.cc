#include "server/answer/element_sums.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace hydrophone {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Around the vectors' lengths, and around and over the pieces that are summed at a time.
constexpr size_t kSizes[] = {0,  1,  2,  3,  4,    5,    7,    8,    9,    15,   16,    17,
                             31, 33, 63, 65, 1000, 4095, 4096, 4097, 8191, 8193, 100003};

// Any bits at all: one in 256 is not finite.
std::vector<float> RandomBits(size_t size, std::mt19937* random) {
  std::vector<float> values(size);
  for (float& value : values) value = std::bit_cast<float>(static_cast<uint32_t>((*random)()));
  return values;
}

uint32_t ZlibOf(absl::Span<const float> values) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(values.data()), values.size() * sizeof(float)));
}

TEST(Crc32, IsZlibs) {
  const std::string check = "123456789";
  EXPECT_EQ(Crc32({reinterpret_cast<const std::byte*>(check.data()), check.size()}), 0xCBF43926u);
  EXPECT_EQ(Crc32({}), 0u);
}

TEST(CountNonfinite, CountsInfinitiesAndNans) {
  EXPECT_EQ(CountNonfinite({}), 0u);
  std::vector<float> values(3000001, std::numeric_limits<float>::max());
  EXPECT_EQ(CountNonfinite(values), 0u);
  values.front() = kInf;
  values[1 << 20] = -kInf;
  values.back() = -kNan;
  EXPECT_EQ(CountNonfinite(values), 3u);
}

TEST(CountNonfinite, AgreesWithIsfiniteAtEveryLengthAndPlace) {
  std::mt19937 random(1);
  for (const size_t size : kSizes) {
    const std::vector<float> values = RandomBits(size + 3, &random);
    for (size_t first = 0; first < 3; ++first) {
      const absl::Span<const float> part = absl::MakeConstSpan(values).subspan(first, size);
      const auto expected = std::count_if(part.begin(), part.end(), [](float value) { return !std::isfinite(value); });
      EXPECT_EQ(CountNonfinite(part), static_cast<uint64_t>(expected)) << size;
    }
  }
}

TEST(SumsOf, AreBothSums) {
  std::mt19937 random(2);
  for (const size_t size : kSizes) {
    const std::vector<float> values = RandomBits(size, &random);
    const ElementSums sums = SumsOf(values);
    EXPECT_EQ(sums.crc32, ZlibOf(values)) << size;
    EXPECT_EQ(sums.nonfinite, CountNonfinite(values)) << size;
  }
}

TEST(SumsOf, EveryValueNotFinite) {
  const std::vector<float> values(50000, kNan);
  EXPECT_EQ(SumsOf(values).nonfinite, 50000u);
}

}  // namespace
}  // namespace hydrophone
