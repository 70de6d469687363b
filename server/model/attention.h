// Causal self-attention over the sequences of a ragged batch, in fixed blocks, so that a row's bits depend on nothing but its own
// sequence up to its own position.
#ifndef HYDROPHONE_SERVER_MODEL_ATTENTION_H_
#define HYDROPHONE_SERVER_MODEL_ATTENTION_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace hydrophone {

// Queries are taken in blocks of so many positions, counted from the start of their sequence. Block b multiplies with the keys
// of blocks 0 to b and with no other, so the shape of each product depends on the position alone; what a block has beyond its
// sequence's end, and above the diagonal, is zero.
inline constexpr int64_t kAttentionBlock = 32;

// Sequence i has the rows [first_row[i], first_row[i+1]); first_row's last element is the number of rows.
//
// qkv [tokens, 3d]: queries, keys, values side by side, each as n_head heads of d / n_head. `scale` multiplies the scores.
// Gives z [tokens, d], the heads side by side: what attn.c_proj takes.
at::Tensor CausalAttention(const at::Tensor& qkv, const std::vector<int64_t>& first_row, int64_t n_head, double scale);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_ATTENTION_H_
