#include "server/model/kernels/cpu/panel_products.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "server/core/vector_clones.h"

// This file is compiled with contraction (CMakeLists.txt): sum += x * y is one fused operation where the CPU has it,
// with the same bits on all such CPUs. Other CPUs round twice.

namespace hydrophone {
namespace {

// Floats that the compiler keeps in one register, or in several where registers are narrower.
typedef float Vector8 __attribute__((vector_size(8 * sizeof(float))));
typedef float Vector16 __attribute__((vector_size(16 * sizeof(float))));

// Loads a vector from any address.
template <typename Vector>
HYDROPHONE_INLINE void Load(const float* from, Vector& vector) {
  std::memcpy(&vector, from, sizeof(vector));
}

template <typename Vector>
constexpr int64_t kFloatsOf = sizeof(Vector) / sizeof(float);

// Inner elements whose part of the panels is used by all groups of rows before the next part is: what fits into the
// second-level cache. Whole partial sums.
constexpr int64_t kBlockInner = 12 * kSumLength;

// A panel's columns: two vectors.
template <typename Vector>
constexpr int64_t kColumnsOf = 2 * kFloatsOf<Vector>;

// Memory that will be read soon and is fetched one cache line at a time.
struct Ahead {
  const float* line = nullptr;
  const float* end = nullptr;

  HYDROPHONE_INLINE void FetchLine() {
    constexpr int64_t kLineFloats = 64 / sizeof(float);
    if (line >= end) return;
    __builtin_prefetch(line, 0, 2);  // into the second-level cache: the first holds what is in use
    line += kLineFloats;
  }
};

// A group of rows in one block of inner elements.
struct Block {
  StridedRows<const float> x;
  int64_t inner = 0;  // of the first row: none or less, where only later rows of a causal product have some here
  bool causal = false;
  const float* panels = nullptr;
  int64_t panel_stride = 0;
  StridedRows<const float> before;  // what the block's sums are added to; null: nothing
  StridedRows<float> y;
  int64_t columns = 0;
  // The next block's panels, as in PanelProduct. This group fetches `fetch_count` floats of each, from `fetch_from` on.
  const float* next_panels = nullptr;
  int64_t fetch_from = 0, fetch_count = 0;

  // Row i's inner elements in this block.
  int64_t InnerOf(int64_t i) const { return std::clamp<int64_t>(causal ? inner + i : inner, 0, kBlockInner); }
  // Those of them that the partial sum of the elements from `first` on takes.
  int64_t SummedOf(int64_t i, int64_t first) const { return std::clamp<int64_t>(InnerOf(i) - first, 0, kSumLength); }
  const float* Panel(int64_t p) const { return panels + p * panel_stride; }
  Ahead NextPanel(int64_t p) const {
    if (next_panels == nullptr) return {};
    const float* first = next_panels + p * panel_stride + fetch_from;
    return {first, first + fetch_count};
  }
};

// The sums of kRows rows over one panel, two vectors each.
template <typename Vector, int64_t kRows>
struct Sums {
  Vector of[kRows][2] = {};

  // Adds factor times a row of the panel to row i's sums.
  HYDROPHONE_INLINE void Add(int64_t i, float factor, const Vector& left, const Vector& right) {
    of[i][0] += factor * left;
    of[i][1] += factor * right;
  }
};

// Adds the elements of a partial sum that the later rows of a causal product have and the first row does not.
template <typename Vector, int64_t kRows>
HYDROPHONE_INLINE void AddLaterElements(const Block& block, int64_t first, const float* panel,
                                        Sums<Vector, kRows>& sums) {
  const StridedRows<const float> x = block.x.From(0, first);
#pragma GCC unroll 16
  for (int64_t i = 1; i < kRows; ++i) {
    for (int64_t k = block.SummedOf(0, first); k < block.SummedOf(i, first); ++k) {
      Vector left, right;
      Load(panel + k * kColumnsOf<Vector>, left);
      Load(panel + k * kColumnsOf<Vector> + kFloatsOf<Vector>, right);
      sums.Add(i, x.data[i * x.stride + k], left, right);
    }
  }
}

// Adds one partial sum, of the inner elements from `first` on, to each row of `before` that has some of them; `panel`
// begins with the first of them.
template <typename Vector, int64_t kRows>
HYDROPHONE_INLINE void AddPartialSums(const Block& block, int64_t first, const float* panel, Ahead& next,
                                      StridedRows<const float> before, StridedRows<float> to) {
  const StridedRows<const float> x = block.x.From(0, first);
  const int64_t common = block.SummedOf(0, first);
  Sums<Vector, kRows> sums;
  for (int64_t k = 0; k < common; ++k) {
    next.FetchLine();
    Vector left, right;
    Load(panel + k * kColumnsOf<Vector>, left);
    Load(panel + k * kColumnsOf<Vector> + kFloatsOf<Vector>, right);
#pragma GCC unroll 16
    for (int64_t i = 0; i < kRows; ++i) sums.Add(i, x.data[i * x.stride + k], left, right);
  }
  if (block.causal) AddLaterElements<Vector, kRows>(block, first, panel, sums);
#pragma GCC unroll 16
  for (int64_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int64_t half = 0; half < 2; ++half) {
      Vector sum = sums.of[i][half];
      if (before.data != nullptr) {
        Load(before.data + i * before.stride + half * kFloatsOf<Vector>, sum);
        // Not even adding zero leaves -0 as it is.
        if (!block.causal || block.SummedOf(i, first) > 0) sum += sums.of[i][half];
      }
      std::memcpy(to.data + i * to.stride + half * kFloatsOf<Vector>, &sum, sizeof(sum));
    }
  }
}

// Computes the part of y that lies in the columns of one panel.
template <typename Vector, int64_t kRows>
HYDROPHONE_INLINE void MultiplyTile(const Block& block, int64_t p, StridedRows<const float> before,
                                    StridedRows<float> y) {
  constexpr int64_t kColumns = kColumnsOf<Vector>;
  const float* panel = block.Panel(p);
  Ahead next = block.NextPanel(p);
  // What the partial sums are added up in: rows of y might evict each other from the first-level cache.
  alignas(Vector) float totals[kRows * kColumns];
  const int64_t inner = block.InnerOf(kRows - 1);
  for (int64_t first = 0; first < inner; first += kSumLength, panel += kSumLength * kColumns) {
    const StridedRows<float> to = first + kSumLength < inner ? StridedRows<float>{totals, kColumns} : y;
    AddPartialSums<Vector, kRows>(block, first, panel, next, before, to);
    before = {totals, kColumns};
  }
}

// The same for the last panel, when it is wider than the columns that are left of y.
template <typename Vector, int64_t kRows>
HYDROPHONE_INLINE void MultiplyLast(const Block& block, int64_t p) {
  constexpr int64_t kColumns = kColumnsOf<Vector>;
  const int64_t first = p * kColumns, columns = block.columns - first;
  float tile[kRows * kColumns] = {};
  for (int64_t i = 0; i < kRows; ++i) {
    if (block.before.data != nullptr) std::copy_n(block.before.From(i, first).data, columns, tile + i * kColumns);
  }
  MultiplyTile<Vector, kRows>(block, p, {block.before.data != nullptr ? tile : nullptr, kColumns}, {tile, kColumns});
  for (int64_t i = 0; i < kRows; ++i) std::copy_n(tile + i * kColumns, columns, block.y.From(i, first).data);
}

template <typename Vector, int64_t kRows>
HYDROPHONE_INLINE void MultiplyGroup(const Block& block) {
  const int64_t whole = block.columns / kColumnsOf<Vector>;
  for (int64_t p = 0; p < whole; ++p) {
    const int64_t first = p * kColumnsOf<Vector>;
    const StridedRows<const float> before = block.before.data != nullptr ? block.before.From(0, first) : block.before;
    MultiplyTile<Vector, kRows>(block, p, before, block.y.From(0, first));
  }
  if (whole * kColumnsOf<Vector> < block.columns) MultiplyLast<Vector, kRows>(block, whole);
}

// Calls MultiplyGroup for `rows` <= kMost rows, a number that the compiler must know.
template <typename Vector, int64_t kMost>
HYDROPHONE_INLINE void MultiplyGroupOf(int64_t rows, const Block& block) {
  if constexpr (kMost > 0) {
    if (rows == kMost) return MultiplyGroup<Vector, kMost>(block);
    MultiplyGroupOf<Vector, kMost - 1>(rows, block);
  }
}

// Inner elements of the longest row.
int64_t MostInner(const PanelProduct& product) { return product.inner + (product.causal ? product.rows - 1 : 0); }

// The group of rows that begins with `row`, in the block that begins with inner element k.
template <int64_t kColumns>
HYDROPHONE_INLINE Block BlockOf(const PanelProduct& product, int64_t k, int64_t row) {
  Block block;
  block.x = product.x.From(row, k);
  block.inner = std::min(kBlockInner, product.inner + (product.causal ? row : 0) - k);
  block.causal = product.causal;
  block.panels = product.panels + k * kColumns;
  block.panel_stride = product.panel_stride;
  block.y = product.y.From(row, 0);
  block.before =
      k > 0 ? StridedRows<const float>{block.y.data, block.y.stride} : StridedRows<const float>{product.start, 0};
  block.columns = product.columns;
  return block;
}

// Multiplies block by block and in each block group by group: groups have about equal sizes, of at most kRows rows. A
// group's part of x stays in the first-level cache, the block's part of the panels in the second.
template <typename Vector, int64_t kRows>
HYDROPHONE_INLINE void MultiplyBlocks(const PanelProduct& product) {
  constexpr int64_t kColumns = kColumnsOf<Vector>;
  const int64_t groups = (product.rows + kRows - 1) / kRows, inner = MostInner(product);
  for (int64_t k = 0; k < inner; k += kBlockInner) {
    const bool last = k + kBlockInner >= inner;
    const int64_t next_inner = std::min(kBlockInner, last ? product.inner : inner - k - kBlockInner);
    for (int64_t group = 0; group < groups; ++group) {
      const int64_t row = product.rows * group / groups, end = product.rows * (group + 1) / groups;
      Block block = BlockOf<kColumns>(product, k, row);
      block.next_panels = last ? product.next_panels : block.panels + kBlockInner * kColumns;
      block.fetch_from = next_inner * group / groups * kColumns;
      block.fetch_count = next_inner * (group + 1) / groups * kColumns - block.fetch_from;
      if (block.InnerOf(end - row - 1) > 0) MultiplyGroupOf<Vector, kRows>(end - row, block);
    }
  }
}

// Each kernel takes as many rows at a time as its registers hold the sums of. They are separate functions and not
// clones of one that the loader chooses from, because their panels differ in width.
void MultiplyPlain(const PanelProduct& product) { MultiplyBlocks<Vector8, 6>(product); }
#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void MultiplyAvx2(const PanelProduct& product) {
  MultiplyBlocks<Vector8, 6>(product);
}
__attribute__((target("avx512f,avx512vl,avx2,fma"))) void MultiplyAvx512(const PanelProduct& product) {
  MultiplyBlocks<Vector16, 12>(product);
}
#endif

std::vector<PanelKernel> FindKernels() {
  std::vector<PanelKernel> kernels;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
  if (avx512) kernels.push_back({"AVX-512", kColumnsOf<Vector16>, MultiplyAvx512});
  if (avx2) kernels.push_back({"AVX2", kColumnsOf<Vector8>, MultiplyAvx2});
  if (avx2) return kernels;  // the plain one does not fuse there
#endif
#if defined(__aarch64__)
  const char* const plain = "NEON";
#else
  const char* const plain = "baseline";
#endif
  kernels.push_back({plain, kColumnsOf<Vector8>, MultiplyPlain});
  return kernels;
}

}  // namespace

absl::Span<const PanelKernel> PanelKernels() {
  static const auto* const kernels = new std::vector<PanelKernel>(FindKernels());
  return *kernels;
}

bool SumsAreFused() {
  // x * x lies between two floats; it would be rounded to -rounded.
  const float x = 1.0f + 0x1p-12f, rounded = -(1.0f + 0x1p-11f);
  // x * x is added to -(x * x rounded): the sum is 0 where the product is rounded first.
  const float row[] = {1.0f, x};
  std::vector<float> panel(static_cast<size_t>(2 * PanelColumns())), start(panel.size()), sum(panel.size());
  panel[0] = rounded;
  panel[static_cast<size_t>(PanelColumns())] = x;
  PanelProduct product;
  product.x = {row, 2};
  product.rows = product.columns = 1;
  product.inner = 2;
  product.panels = panel.data();
  product.start = start.data();
  product.y = {sum.data(), 1};
  Multiply(product);
  return sum[0] != 0.0f;
}

}  // namespace hydrophone
