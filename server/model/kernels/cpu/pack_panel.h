// Copies a part of a matrix into a panel of PanelColumns() columns, as panel_products.h reads it.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PACK_PANEL_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PACK_PANEL_H_

#include <algorithm>
#include <cstdint>

#include "server/model/kernels/cpu/panel_products.h"

namespace hydrophone {

// panel[k, j] = row(k)[j] for k < inner and j < columns <= PanelColumns(); the columns beside them become 0. row(k) is
// a pointer to floats.
template <typename Row>
void PackPanel(const Row& row, int64_t inner, int64_t columns, float* panel) {
  const int64_t width = PanelColumns();
  for (int64_t k = 0; k < inner; ++k, panel += width) {
    std::fill(std::copy_n(row(k), columns, panel), panel + width, 0.0f);
  }
}

// panel[k, j] = row(j)[k]: the same for the transposed matrix.
template <typename Row>
void PackTransposedPanel(const Row& row, int64_t inner, int64_t columns, float* panel) {
  constexpr int64_t kLine = 16;  // floats in a 64-byte line: each line of a source row is used up before it is evicted
  const int64_t width = PanelColumns();
  for (int64_t first = 0; first < inner; first += kLine) {
    const int64_t end = std::min(first + kLine, inner);
    for (int64_t j = 0; j < columns; ++j) {
      const float* from = row(j);
      for (int64_t k = first; k < end; ++k) panel[k * width + j] = from[k];
    }
    for (int64_t k = first; k < end; ++k) std::fill(panel + k * width + columns, panel + (k + 1) * width, 0.0f);
  }
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PACK_PANEL_H_
