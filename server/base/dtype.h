// The element types of tensors: their sizes and their names in files.
#ifndef HYDROPHONE_SERVER_BASE_DTYPE_H_
#define HYDROPHONE_SERVER_BASE_DTYPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace hydrophone {

enum class Dtype : uint8_t { kFloat32, kFloat16, kBfloat16 };

// Bytes of one element.
constexpr size_t ElementSize(Dtype dtype) { return dtype == Dtype::kFloat32 ? 4 : 2; }

// As safetensors spells it: "F32", "F16", "BF16".
constexpr const char* SafetensorsName(Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return "F32";
    case Dtype::kFloat16:
      return "F16";
    case Dtype::kBfloat16:
      return "BF16";
  }
  return "";
}

// The type that safetensors spells so; nullopt for its other types.
inline std::optional<Dtype> DtypeFromSafetensors(absl::string_view name) {
  for (Dtype dtype : {Dtype::kFloat32, Dtype::kFloat16, Dtype::kBfloat16}) {
    if (name == SafetensorsName(dtype)) return dtype;
  }
  return std::nullopt;
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_DTYPE_H_
