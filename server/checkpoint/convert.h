// Exact conversion of stored elements to float32: every float16 and bfloat16 value is a float32 value.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_CONVERT_H_
#define HYDROPHONE_SERVER_CHECKPOINT_CONVERT_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/core/tensor.h"

namespace hydrophone {

// Converts values.size() little-endian elements, which need no alignment. `stored` holds exactly as many.
void ConvertToFloat32(Dtype dtype, absl::string_view stored, absl::Span<float> values);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_CONVERT_H_
