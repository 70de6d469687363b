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

}  // namespace

void ConvertToFloat32(Dtype dtype, absl::string_view stored, absl::Span<float> values) {
  assert(stored.size() == values.size() * ElementSize(dtype));
  switch (dtype) {
    case Dtype::kFloat32:
      if (!stored.empty()) std::memcpy(values.data(), stored.data(), stored.size());
      return;
    case Dtype::kFloat16:
      return WidenAll<FromHalf>(stored.data(), values);
    case Dtype::kBfloat16:
      return WidenAll<FromBfloat>(stored.data(), values);
  }
}

}  // namespace hydrophone
