// Products of rows with a matrix that lies in panels of columns: the loop in which nearly all of the arithmetic
// happens.
//
// In float32. An element is start + s_0 + s_1 + ..., added from the left, where s_b is the sum over the b-th kSumBlock
// inner elements, from 0 and from the first to the last, by fused multiply-adds where the CPU has them. So a row's bits
// depend on the row and on the matrix and on nothing else: neither on how many rows or columns are multiplied with it,
// nor on the threads, nor on the width of the CPU's vectors. A BLAS promises none of it. Blocks, because the error of a
// sum grows with its length. The tiles of registers and caches are those of Goto and van de Geijn, "Anatomy of
// High-Performance Matrix Multiplication" (2008), but that the left factor is not copied.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PANEL_PRODUCTS_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PANEL_PRODUCTS_H_

#include <cstdint>

#include "absl/types/span.h"

namespace hydrophone {

// Bits depend on it.
inline constexpr int64_t kSumBlock = 384;

// The i-th row of a matrix lies at data + i * stride.
template <typename Element>
struct Rows {
  Element* data = nullptr;
  int64_t stride = 0;

  Rows From(int64_t row, int64_t column) const { return {data + row * stride + column, stride}; }
};

// y = start + x w, for w [inner, columns] in panels of P columns: P is the kernel's.
struct PanelProduct {
  Rows<const float> x;  // [rows, inner]
  int64_t rows = 0;
  int64_t inner = 0;  // at least 1
  // Row i has i inner elements more, as patterns of causal attention have. Neither x nor w is read where a row ends.
  bool causal = false;
  // Row k of w is at panels + p * panel_stride + k * P in panel p. The last panel is whole in memory, with any numbers
  // beside w.
  const float* panels = nullptr;
  int64_t panel_stride = 0;
  const float* start = nullptr;  // [columns], for every row; null: zeros
  Rows<float> y;                 // [rows, columns]; may not overlap the others
  int64_t columns = 0;
  // Where the panels are, as many and with the same stride, that this thread is likely to multiply next; null: nobody
  // knows. They are brought near meanwhile.
  const float* next_panels = nullptr;
};

// A way to compute it. All have the same bits, but for those of CPUs that do not fuse.
struct PanelKernel {
  int64_t panel_columns;
  void (*multiply)(const PanelProduct& product);
};

// Those that this CPU can run, the fastest first.
absl::Span<const PanelKernel> PanelKernels();

// Of the fastest.
inline int64_t PanelColumns() { return PanelKernels().front().panel_columns; }
inline void Multiply(const PanelProduct& product) { PanelKernels().front().multiply(product); }

// Whether sums of products are fused on this machine, which changes bits.
bool SumsAreFused();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PANEL_PRODUCTS_H_
