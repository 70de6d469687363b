// The products of one attention head: queries with keys, and patterns with values.
//
// In float32, each sum from its first element to its last, with fused multiply-adds where the CPU has them. So a row's bits depend on
// the rows before it and on nothing else: neither on how rows are grouped, nor on what comes after it, were it NaN. A BLAS promises
// neither, and computes the whole square where causal attention needs half.
#ifndef HYDROPHONE_SERVER_MODEL_ATTENTION_PRODUCTS_H_
#define HYDROPHONE_SERVER_MODEL_ATTENTION_PRODUCTS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace hydrophone {

// Queries that are multiplied at a time, at most: as many as registers hold the sums of.
inline constexpr int64_t kQueryGroup = 6;

// One head's part of some rows of a matrix, wherever they are: row i lies at data + rows[i] * stride.
struct HeadRows {
  const float* data = nullptr;
  int64_t stride = 0;
  absl::Span<const int64_t> rows;

  int64_t count() const { return static_cast<int64_t>(rows.size()); }
  const float* Row(int64_t i) const { return data + rows[static_cast<size_t>(i)] * stride; }
};

// One head's keys and values, copied into the order in which the products read them. May be packed again for another head or
// sequence, and keeps its memory for that. Read by any number of threads at a time.
class PackedHead {
 public:
  // Keys and values of the same positions; `d_head` elements a row.
  void Pack(const HeadRows& keys, const HeadRows& values, int64_t d_head);

  int64_t count() const { return count_; }
  // From `keys` up to whole panels: how many scores a row has room for.
  static int64_t Padded(int64_t keys);

  // scores[i * stride + j] = query i . key j for i < rows <= kQueryGroup and j < Padded(keys); keys that are not there count as
  // zeros. Query i lies at q + i * q_stride. Unscaled.
  void Score(const float* q, int64_t q_stride, int64_t rows, int64_t keys, float* scores, int64_t stride) const;

  // z[i * z_stride ...] = sum over j <= first + i of pattern[i * stride + j] value j, for i < rows <= kQueryGroup.
  void Mix(const float* pattern, int64_t stride, int64_t first, int64_t rows, float* z, int64_t z_stride) const;

 private:
  int64_t count_ = 0;
  int64_t d_head_ = 0;
  // Panels of kPanel keys, each feature by feature: [panels, d_head, kPanel].
  std::vector<float> keys_;
  // [count, Padded(d_head)], zeros at the end of each row.
  std::vector<float> values_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_ATTENTION_PRODUCTS_H_
