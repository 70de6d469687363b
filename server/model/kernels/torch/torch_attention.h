// Causal self-attention in libtorch's operations, on any device.
//
// Queries are taken in blocks of kTorchAttentionBlock positions, counted from the start of their sequence, for all
// heads at once:
//
//   scores  [H, block, (b + 1) block]  =  q of block b  times  k of blocks 0 to b, transposed; -inf above the diagonal
//   z       [H, block, d/H]            =  softmax of them  times  v of blocks 0 to b
//
// Shapes, strides and alignments of every operation depend on b alone, so the library does the same for a position
// whatever the length of its sequence, whatever the batch, and whether its scores are looked at: a row's bits depend on
// its own past and on nothing else. Later positions do not reach it, even if they hold NaN.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_TORCH_TORCH_ATTENTION_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_TORCH_TORCH_ATTENTION_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "server/model/kernels/attention.h"

namespace hydrophone {

// Positions in a block.
inline constexpr int64_t kTorchAttentionBlock = 64;

// As CausalAttention in cpu/causal_attention.h, on the device of `qkv`. The visitor's squares are in the host's memory:
// each is copied there and, since it may have been changed, back, which waits for the device twice.
at::Tensor TorchCausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences,
                                int64_t n_head, double scale, AttentionVisitor& visitor);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_TORCH_TORCH_ATTENTION_H_
