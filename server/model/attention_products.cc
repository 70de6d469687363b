#include "server/model/attention_products.h"

#include <algorithm>

#include "server/core/vector_clones.h"

// This file alone is compiled with contraction (CMakeLists.txt): sum += x * y is one fused operation where the CPU has it, with the
// same bits on all that do. The others round twice.

namespace hydrophone {
namespace {

// Keys, or features of values, that are computed side by side: two vectors.
constexpr int64_t kPanel = 16;
constexpr int64_t kHalf = kPanel / 2;

#define HYDROPHONE_INLINE inline __attribute__((always_inline))

// Eight floats, which the compiler keeps in a register or two; at any address.
typedef float Vector __attribute__((vector_size(kHalf * sizeof(float)), aligned(alignof(float)), may_alias));

// The sums of kRows rows and one panel.
template <int64_t kRows>
struct Sums {
  Vector of[kRows][2] = {};

  // Row i's sums += x times the panel at `factors`.
  HYDROPHONE_INLINE void Add(int64_t i, float x, const float* factors) {
    const Vector* halves = reinterpret_cast<const Vector*>(factors);  // "auto" would lose the alignment
    of[i][0] += x * halves[0];
    of[i][1] += x * halves[1];
  }
  HYDROPHONE_INLINE void StoreRow(int64_t i, float* to) const {
    Vector* halves = reinterpret_cast<Vector*>(to);
    halves[0] = of[i][0];
    halves[1] = of[i][1];
  }
};

template <int64_t kRows>
HYDROPHONE_INLINE void ScorePanel(const float* q, int64_t q_stride, const float* panel, int64_t d_head, float* scores,
                                  int64_t stride) {
  Sums<kRows> sums;
  for (int64_t d = 0; d < d_head; ++d) {
    for (int64_t i = 0; i < kRows; ++i) sums.Add(i, q[i * q_stride + d], panel + d * kPanel);
  }
  for (int64_t i = 0; i < kRows; ++i) sums.StoreRow(i, scores + i * stride);
}

template <int64_t kRows>
HYDROPHONE_INLINE void ScorePanels(const float* q, int64_t q_stride, const float* panels, int64_t count, int64_t d_head,
                                   float* scores, int64_t stride) {
  for (int64_t p = 0; p < count; ++p) {
    ScorePanel<kRows>(q, q_stride, panels + p * d_head * kPanel, d_head, scores + p * kPanel, stride);
  }
}

// Row i mixes values 0 to first + i: those that all rows mix at once, then what is left of each.
template <int64_t kRows>
HYDROPHONE_INLINE void MixPanel(const float* pattern, int64_t stride, int64_t first, const float* values, int64_t width,
                                float* z) {
  Sums<kRows> sums;
  for (int64_t j = 0; j <= first; ++j) {
    for (int64_t i = 0; i < kRows; ++i) sums.Add(i, pattern[i * stride + j], values + j * width);
  }
  for (int64_t i = 1; i < kRows; ++i) {
    for (int64_t j = first + 1; j <= first + i; ++j) sums.Add(i, pattern[i * stride + j], values + j * width);
  }
  for (int64_t i = 0; i < kRows; ++i) sums.StoreRow(i, z + i * kPanel);
}

template <int64_t kRows>
HYDROPHONE_INLINE void MixPanels(const float* pattern, int64_t stride, int64_t first, const float* values,
                                 int64_t d_head, int64_t width, float* z, int64_t z_stride) {
  float panel[kRows * kPanel];
  for (int64_t d = 0; d < d_head; d += kPanel) {
    MixPanel<kRows>(pattern, stride, first, values + d, width, panel);
    const int64_t features = std::min(kPanel, d_head - d);
    for (int64_t i = 0; i < kRows; ++i) std::copy_n(panel + i * kPanel, features, z + i * z_stride + d);
  }
}

HYDROPHONE_VECTOR_CLONES void ScoreGroup(const float* q, int64_t q_stride, int64_t rows, const float* panels,
                                         int64_t count, int64_t d_head, float* scores, int64_t stride) {
  switch (rows) {
    case 1: return ScorePanels<1>(q, q_stride, panels, count, d_head, scores, stride);
    case 2: return ScorePanels<2>(q, q_stride, panels, count, d_head, scores, stride);
    case 3: return ScorePanels<3>(q, q_stride, panels, count, d_head, scores, stride);
    case 4: return ScorePanels<4>(q, q_stride, panels, count, d_head, scores, stride);
    case 5: return ScorePanels<5>(q, q_stride, panels, count, d_head, scores, stride);
    default: return ScorePanels<kQueryGroup>(q, q_stride, panels, count, d_head, scores, stride);
  }
}

HYDROPHONE_VECTOR_CLONES void MixGroup(const float* pattern, int64_t stride, int64_t first, int64_t rows,
                                       const float* values, int64_t d_head, int64_t width, float* z, int64_t z_stride) {
  switch (rows) {
    case 1: return MixPanels<1>(pattern, stride, first, values, d_head, width, z, z_stride);
    case 2: return MixPanels<2>(pattern, stride, first, values, d_head, width, z, z_stride);
    case 3: return MixPanels<3>(pattern, stride, first, values, d_head, width, z, z_stride);
    case 4: return MixPanels<4>(pattern, stride, first, values, d_head, width, z, z_stride);
    case 5: return MixPanels<5>(pattern, stride, first, values, d_head, width, z, z_stride);
    default: return MixPanels<kQueryGroup>(pattern, stride, first, values, d_head, width, z, z_stride);
  }
}

}  // namespace

int64_t PackedHead::Padded(int64_t keys) { return (keys + kPanel - 1) / kPanel * kPanel; }

void PackedHead::Pack(const HeadRows& keys, const HeadRows& values, int64_t d_head) {
  count_ = keys.count();
  d_head_ = d_head;
  const int64_t padded = Padded(count_), width = Padded(d_head);
  keys_.resize(static_cast<size_t>(padded * d_head));
  values_.resize(static_cast<size_t>(count_ * width));
  for (int64_t j = 0; j < padded; ++j) {
    float* to = keys_.data() + j / kPanel * kPanel * d_head + j % kPanel;
    const float* from = j < count_ ? keys.Row(j) : nullptr;
    for (int64_t d = 0; d < d_head; ++d) to[d * kPanel] = from != nullptr ? from[d] : 0.0f;
  }
  for (int64_t j = 0; j < count_; ++j) {
    float* to = values_.data() + j * width;
    std::fill(std::copy_n(values.Row(j), d_head, to), to + width, 0.0f);
  }
}

void PackedHead::Score(const float* q, int64_t q_stride, int64_t rows, int64_t keys, float* scores, int64_t stride) const {
  ScoreGroup(q, q_stride, rows, keys_.data(), Padded(keys) / kPanel, d_head_, scores, stride);
}

void PackedHead::Mix(const float* pattern, int64_t stride, int64_t first, int64_t rows, float* z, int64_t z_stride) const {
  MixGroup(pattern, stride, first, rows, values_.data(), d_head_, Padded(d_head_), z, z_stride);
}

}  // namespace hydrophone
