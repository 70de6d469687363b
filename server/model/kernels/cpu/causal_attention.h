// Causal self-attention over the sequences of a ragged batch, in the products of attention_products.h, so that a row's
// bits depend on nothing but its own sequence up to its own position.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_CPU_CAUSAL_ATTENTION_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_CPU_CAUSAL_ATTENTION_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "server/model/batch/batch_rows.h"
#include "server/model/kernels/attention.h"

namespace hydrophone {

// `scale` multiplies the scores. Queries are the sequences' own rows; visited sequences must share none. Gives z
// [rows, d], the heads side by side: what attn.c_proj takes.
at::Tensor CausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences, int64_t n_head,
                           double scale, AttentionVisitor& visitor);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_CPU_CAUSAL_ATTENTION_H_
