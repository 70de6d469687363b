// The types that weights are stored in, and their conversion to float32: exact for all but float64, which is rounded to
// nearest even, as PyTorch does it.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_CONVERT_H_
#define HYDROPHONE_SERVER_CHECKPOINT_CONVERT_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hydrophone {

enum class StoredType : uint8_t { kFloat32, kFloat16, kBfloat16, kFloat64 };

// The type that safetensors spells so ("F32", "F16", "BF16", "F64"); nullopt for its other types.
std::optional<StoredType> StoredTypeOf(absl::string_view safetensors_name);

// Bytes of one element.
size_t ElementSize(StoredType type);

// Converts values.size() little-endian elements, which need no alignment. `stored` holds exactly as many.
void ConvertToFloat32(StoredType type, absl::string_view stored, absl::Span<float> values);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_CONVERT_H_
