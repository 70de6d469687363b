// A read-only view of a tensor's elements and whatever keeps their memory alive.
#ifndef HYDROPHONE_SERVER_CORE_TENSOR_H_
#define HYDROPHONE_SERVER_CORE_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "server/base/dtype.h"

namespace hydrophone {

// Row-major (C order), contiguous, little-endian elements that `owner` keeps alive.
//
// clang-format off
//   TensorView ──shares──► owner ──keeps──► storage [elements]
//       │                                      ▲
//       └──────────────── data ────────────────┘
// clang-format on
//
// Copying a view is cheap and shares the elements. The code that sends the bytes holds a copy until the last byte has
// left. The storage is freed when the last copy is destroyed, on the thread that destroys it.
struct TensorView {
  Dtype dtype = Dtype::kFloat32;
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;
  std::shared_ptr<const void> owner;

  size_t elements() const {
    size_t product = 1;
    for (int64_t dimension : shape) product *= static_cast<size_t>(dimension);
    return product;
  }
  size_t bytes() const { return elements() * ElementSize(dtype); }

  // The elements; the dtype must be kFloat32.
  absl::Span<const float> floats() const { return {reinterpret_cast<const float*>(data), elements()}; }

  // Rows [first, first + count) along the first dimension, sharing the elements.
  TensorView Rows(int64_t first, int64_t count) const {
    TensorView rows = *this;
    size_t row_bytes = shape[0] == 0 ? 0 : bytes() / static_cast<size_t>(shape[0]);
    rows.data = data + static_cast<size_t>(first) * row_bytes;
    rows.shape[0] = count;
    return rows;
  }
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_TENSOR_H_
