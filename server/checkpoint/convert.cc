#include "server/checkpoint/convert.h"

#include <bit>
#include <cassert>
#include <cstring>

#include "server/base/half.h"

namespace hydrophone {
namespace {

static_assert(std::endian::native == std::endian::little, "stored elements are taken as they are");

template <float (*Widen)(uint16_t)>
void WidenAll(const char* stored, absl::Span<float> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, stored + i * sizeof(bits), sizeof(bits));
    values[i] = Widen(bits);
  }
}

void RoundAll(const char* stored, absl::Span<float> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    double value;
    std::memcpy(&value, stored + i * sizeof(value), sizeof(value));
    values[i] = static_cast<float>(value);
  }
}

}  // namespace

std::optional<StoredType> StoredTypeOf(absl::string_view safetensors_name) {
  if (safetensors_name == "F32") return StoredType::kFloat32;
  if (safetensors_name == "F16") return StoredType::kFloat16;
  if (safetensors_name == "BF16") return StoredType::kBfloat16;
  if (safetensors_name == "F64") return StoredType::kFloat64;
  return std::nullopt;
}

size_t ElementSize(StoredType type) {
  if (type == StoredType::kFloat64) return 8;
  return type == StoredType::kFloat32 ? 4 : 2;
}

void ConvertToFloat32(StoredType type, absl::string_view stored, absl::Span<float> values) {
  assert(stored.size() == values.size() * ElementSize(type));
  switch (type) {
    case StoredType::kFloat32:
      if (!stored.empty()) std::memcpy(values.data(), stored.data(), stored.size());
      return;
    case StoredType::kFloat16:
      return WidenAll<FromHalf>(stored.data(), values);
    case StoredType::kBfloat16:
      return WidenAll<FromBfloat>(stored.data(), values);
    case StoredType::kFloat64:
      return RoundAll(stored.data(), values);
  }
}

}  // namespace hydrophone
