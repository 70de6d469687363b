// Causal self-attention over the sequences of a ragged batch, in products of our own (attention_products.h), so that a
// row's bits depend on nothing but its own sequence up to its own position.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_ATTENTION_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_ATTENTION_H_

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "server/model/batch/batch_rows.h"

namespace hydrophone {

// [tokens, d] each, the heads side by side, rows of any stride.
struct QueriesKeysValues {
  at::Tensor q, k, v;
};

// Somebody who looks at, or changes, whole scores and patterns. Not for the fast path: they are laid out as squares for
// visited sequences only. The bits of what follows are the same as without a visit that changes nothing.
class AttentionVisitor {
 public:
  virtual ~AttentionVisitor() = default;

  // The sequences to visit, in the order in which to do it.
  virtual std::vector<size_t> Visited() const = 0;
  // scores [H, s, s], scaled; -inf above the diagonal, where they must stay so.
  virtual void OnScores(size_t sequence, at::Tensor& scores) = 0;
  // pattern [H, s, s], the scores' softmax; 0 above the diagonal, where it must stay so.
  virtual void OnPattern(size_t sequence, at::Tensor& pattern) = 0;
};

inline constexpr float kMaskedScore = -std::numeric_limits<float>::infinity();

// Sets what squares [H, s, s] have above their diagonals.
void MaskFuture(at::Tensor& squares, float value);

// `scale` multiplies the scores. Queries are the sequences' own rows; visited sequences must share none. Gives z
// [tokens, d], the heads side by side: what attn.c_proj takes.
at::Tensor CausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences, int64_t n_head,
                           double scale, AttentionVisitor& visitor);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_ATTENTION_H_
