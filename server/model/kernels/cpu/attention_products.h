// The products of one attention head: queries with keys, and patterns with values.
//
// Their sums are those of panel_products.h. So a row's bits depend on the rows before it and on nothing else: neither
// on how many rows are multiplied at a time, nor on later rows, even if these hold NaN. A BLAS promises neither, and
// computes the whole square, of which causal attention needs half.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_CPU_ATTENTION_PRODUCTS_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_CPU_ATTENTION_PRODUCTS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "server/model/kernels/cpu/panel_products.h"

namespace hydrophone {

// One head's part of some rows of a matrix: row i begins at data + rows[i] * stride.
struct HeadRows {
  const float* data = nullptr;
  int64_t stride = 0;
  absl::Span<const int64_t> rows;

  int64_t count() const { return static_cast<int64_t>(rows.size()); }
  const float* Row(int64_t i) const { return data + rows[static_cast<size_t>(i)] * stride; }
};

// One head's keys and values, copied into the order in which the products read them. It can be packed again for another
// head or sequence, for which it keeps its memory. Any number of threads may read it at a time.
class PackedHead {
 public:
  // Packs keys and values of the same positions; each row has `d_head` elements.
  void Pack(const HeadRows& keys, const HeadRows& values, int64_t d_head);

  int64_t count() const { return count_; }
  // `keys` rounded up to whole panels: the number of scores that a row needs room for.
  static int64_t Padded(int64_t keys);

  // scores[i, j] = query i . key j for i < rows and j < Padded(keys); keys beyond `keys` count as zeros. The scores are
  // not scaled.
  void Score(StridedRows<const float> q, int64_t rows, int64_t keys, StridedRows<float> scores) const;

  // z[i] = sum over j <= first + i of pattern[i, j] value j, for i < rows.
  void Mix(StridedRows<const float> pattern, int64_t first, int64_t rows, StridedRows<float> z) const;

 private:
  int64_t count_ = 0;
  int64_t d_head_ = 0;
  std::vector<float> keys_;    // [panels of keys, d_head, PanelColumns()]
  std::vector<float> values_;  // [panels of features, count, PanelColumns()]
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_CPU_ATTENTION_PRODUCTS_H_
