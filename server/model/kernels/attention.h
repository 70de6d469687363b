// What the kernels' causal self-attention takes, and a visitor that may look at its scores and patterns.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_ATTENTION_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_ATTENTION_H_

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "server/model/batch/batch_rows.h"

namespace hydrophone {

// Each is [tokens, d], with the heads side by side and rows of any stride.
struct QueriesKeysValues {
  at::Tensor q, k, v;
};

// Looks at whole scores and patterns and may change them. They are laid out as squares for visited sequences only,
// since that is slower. A visit that changes nothing does not change the bits of what follows.
class AttentionVisitor {
 public:
  virtual ~AttentionVisitor() = default;

  // The sequences to visit, in the order of the visits.
  virtual std::vector<size_t> Visited() const = 0;
  // scores [H, s, s], scaled; -inf above the diagonal, where they must stay -inf.
  virtual void OnScores(size_t sequence, at::Tensor& scores) = 0;
  // pattern [H, s, s], the scores' softmax; 0 above the diagonal, where it must stay 0.
  virtual void OnPattern(size_t sequence, at::Tensor& pattern) = 0;
};

inline constexpr float kMaskedScore = -std::numeric_limits<float>::infinity();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_ATTENTION_H_
