#include "server/model/attention_block.h"

#include <algorithm>
#include <vector>

#include "server/model/vector_clones.h"

namespace hydrophone {
namespace {

// One query against a whole block of keys, which lie feature by feature: transposed[d * kAttentionBlock + j].
HYDROPHONE_VECTOR_CLONES void ScoreRow(const float* q, const float* transposed, int64_t d_head, float* scores) {
  float sums[kAttentionBlock] = {};
  for (int64_t d = 0; d < d_head; ++d) {
    const float* keys = transposed + d * kAttentionBlock;
    for (int64_t j = 0; j < kAttentionBlock; ++j) sums[j] += q[d] * keys[j];
  }
  std::copy(sums, sums + kAttentionBlock, scores);
}

HYDROPHONE_VECTOR_CLONES void MixRow(const float* pattern, const float* v, int64_t count, int64_t d_head, float* z) {
  for (int64_t j = 0; j < count; ++j) {
    const float* values = v + j * d_head;
    for (int64_t d = 0; d < d_head; ++d) z[d] += pattern[j] * values[d];
  }
}

}  // namespace

void DiagonalScores(const float* q, const float* k, int64_t rows, int64_t d_head, float* scores, int64_t stride) {
  std::vector<float> transposed(static_cast<size_t>(d_head * kAttentionBlock), 0.0f);
  for (int64_t j = 0; j < rows; ++j) {
    for (int64_t d = 0; d < d_head; ++d) transposed[static_cast<size_t>(d * kAttentionBlock + j)] = k[j * d_head + d];
  }
  float row[kAttentionBlock];
  for (int64_t i = 0; i < rows; ++i) {
    ScoreRow(q + i * d_head, transposed.data(), d_head, row);
    std::copy(row, row + i + 1, scores + i * stride);
  }
}

void DiagonalMix(const float* pattern, int64_t stride, const float* v, int64_t rows, int64_t d_head, float* z) {
  for (int64_t i = 0; i < rows; ++i) MixRow(pattern + i * stride, v, i + 1, d_head, z + i * d_head);
}

}  // namespace hydrophone
