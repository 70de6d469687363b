#include "server/checkpoint/convert.h"

#include <bit>
#include <cassert>
#include <cstring>

namespace hydrophone {
namespace {

static_assert(std::endian::native == std::endian::little, "stored elements are taken as they are");

constexpr uint32_t Bits(uint16_t bits) { return bits; }

// Without branches, so that the compiler can make vector instructions of a loop over it.
constexpr uint32_t WidenFloat16(uint16_t half) {
  const uint32_t sign = (Bits(half) & 0x8000u) << 16;
  const uint32_t magnitude = Bits(half) & 0x7fffu;
  const uint32_t normal = (magnitude << 13) + (uint32_t{127 - 15} << 23);  // the exponent's bias changes
  const uint32_t special = (magnitude << 13) | 0x7f800000u;                // infinity and NaN
  const uint32_t subnormal = std::bit_cast<uint32_t>(static_cast<float>(magnitude) * 0x1p-24f);
  const uint32_t widened = magnitude < 0x0400u ? subnormal : (magnitude < 0x7c00u ? normal : special);
  return sign | widened;
}

constexpr uint32_t WidenBfloat16(uint16_t bits) { return Bits(bits) << 16; }

template <uint32_t (*Widen)(uint16_t)>
void WidenAll(const char* stored, absl::Span<float> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, stored + i * sizeof(bits), sizeof(bits));
    values[i] = std::bit_cast<float>(Widen(bits));
  }
}

}  // namespace

uint32_t Float16ToFloat32Bits(uint16_t bits) { return WidenFloat16(bits); }
uint32_t Bfloat16ToFloat32Bits(uint16_t bits) { return WidenBfloat16(bits); }

void ConvertToFloat32(Dtype dtype, absl::string_view stored, absl::Span<float> values) {
  assert(stored.size() == values.size() * ElementSize(dtype));
  switch (dtype) {
    case Dtype::kFloat32:
      if (!stored.empty()) std::memcpy(values.data(), stored.data(), stored.size());
      return;
    case Dtype::kFloat16:
      return WidenAll<WidenFloat16>(stored.data(), values);
    case Dtype::kBfloat16:
      return WidenAll<WidenBfloat16>(stored.data(), values);
  }
}

}  // namespace hydrophone
