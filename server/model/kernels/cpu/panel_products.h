// Products of rows with a matrix that lies in panels of columns: the loop in which nearly all of the arithmetic
// happens, in float32.
//
// All is float32. An element is start + s_0 + s_1 + ..., added from the left, where s_b is the sum over the b-th
// kSumLength inner elements, from 0 and from the first to the last, by fused multiply-adds where the CPU has them. So a
// row's bits depend on the row and on the matrix and on nothing else: neither on how many rows or columns are
// multiplied with it, nor on the threads, nor on the width of the CPU's vectors. A BLAS promises none of this. Sums are
// taken in short parts, because the error of a sum grows with its length. The tiles of registers and caches are those
// of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), except that the left factor is
// not copied.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PANEL_PRODUCTS_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PANEL_PRODUCTS_H_

#include <cstdint>

#include "absl/types/span.h"

namespace hydrophone {

// Inner elements per partial sum. Part of the numeric contract: another value gives other bits.
inline constexpr int64_t kSumLength = 32;

// A matrix whose rows lie apart: row i begins at data + i * stride.
template <typename Element>
struct StridedRows {
  Element* data = nullptr;
  int64_t stride = 0;

  StridedRows From(int64_t row, int64_t column) const { return {data + row * stride + column, stride}; }
};

// y = start + x w, for w [inner, columns] in panels of P columns, where P is the kernel's panel_columns.
struct PanelProduct {
  StridedRows<const float> x;  // [rows, inner]
  int64_t rows = 0;
  int64_t inner = 0;  // at least 1
  // Row i has `i` inner elements more than row 0, as the patterns of causal attention have. Beyond a row's end, neither
  // x nor w is read.
  bool causal = false;
  // Row k of w in panel p lies at panels + p * panel_stride + k * P. The last panel has P columns in memory too, with
  // any numbers beside w's own.
  const float* panels = nullptr;
  int64_t panel_stride = 0;
  const float* start = nullptr;  // [columns], for every row; null: zeros
  StridedRows<float> y;          // [rows, columns]; may not overlap the others
  int64_t columns = 0;
  // The panels, as many and with the same stride, that this thread will probably multiply next, which are fetched into
  // the cache meanwhile; null when they are not known.
  const float* next_panels = nullptr;
};

// One way to compute a product. All ways give the same bits on CPUs that fuse multiplication and addition.
struct PanelKernel {
  const char* instruction_set;  // "AVX-512", "AVX2", "NEON"; "baseline" is the least that the architecture has
  int64_t panel_columns;
  void (*multiply)(const PanelProduct& product);
};

// The kernels that this CPU can run, the fastest first.
absl::Span<const PanelKernel> PanelKernels();

// The panel width of the fastest kernel, and a product by it.
inline int64_t PanelColumns() { return PanelKernels().front().panel_columns; }
inline void Multiply(const PanelProduct& product) { PanelKernels().front().multiply(product); }

// Whether a product and its sum are one fused operation on this machine, which changes bits.
bool SumsAreFused();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PANEL_PRODUCTS_H_
