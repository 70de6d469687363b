#include "server/model/attention.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include <algorithm>

#include "server/model/elementwise.h"
#include "server/model/parallel.h"

namespace hydrophone {
namespace {

// One head of one sequence, its rows padded with zeros to whole blocks.
struct Head {
  at::Tensor q;  // [padded, d/H]
  at::Tensor k;  // [padded, d/H]
  at::Tensor v;  // [padded, d/H]
};

Head TakeHead(const at::Tensor& qkv, int64_t first, int64_t count, int64_t head, int64_t n_head) {
  const int64_t d = qkv.size(1) / 3;
  const int64_t d_head = d / n_head;
  const int64_t padded = (count + kAttentionBlock - 1) / kAttentionBlock * kAttentionBlock;
  const at::Tensor rows = qkv.narrow(0, first, count);
  auto take = [&](int64_t part) {
    at::Tensor taken = at::empty({padded, d_head}, qkv.options());
    taken.narrow(0, 0, count).copy_(rows.narrow(1, part * d + head * d_head, d_head));
    taken.narrow(0, count, padded - count).zero_();
    return taken;
  };
  return {take(0), take(1), take(2)};
}

// Softmax of the rows of one query block's scores [block, keys], each over the keys up to itself.
void CausalSoftmax(at::Tensor& scores, int64_t first_position, float scale) {
  const int64_t keys = scores.size(1);
  float* row = scores.mutable_data_ptr<float>();
  for (int64_t i = 0; i < kAttentionBlock; ++i, row += keys) SoftmaxRow(row, first_position + i + 1, keys, scale);
}

// z's rows and columns of one head of one sequence: softmax(q k^T scale) v.
void AttendHead(const Head& head, float scale, at::Tensor z) {
  const int64_t count = z.size(0);
  const int64_t padded = head.q.size(0);
  at::Tensor scores_memory = at::empty({kAttentionBlock * padded}, head.q.options());
  at::Tensor mixed = at::empty({kAttentionBlock, head.q.size(1)}, head.q.options());
  for (int64_t first = 0; first < count; first += kAttentionBlock) {
    const int64_t keys = first + kAttentionBlock;
    at::Tensor scores = scores_memory.narrow(0, 0, kAttentionBlock * keys).view({kAttentionBlock, keys});
    at::mm_out(scores, head.q.narrow(0, first, kAttentionBlock), head.k.narrow(0, 0, keys).t());
    CausalSoftmax(scores, first, scale);
    at::mm_out(mixed, scores, head.v.narrow(0, 0, keys));
    const int64_t rows = std::min(kAttentionBlock, count - first);
    z.narrow(0, first, rows).copy_(mixed.narrow(0, 0, rows));
  }
}

}  // namespace

at::Tensor CausalAttention(const at::Tensor& qkv, const std::vector<int64_t>& first_row, int64_t n_head, double scale) {
  const int64_t d = qkv.size(1) / 3;
  const int64_t d_head = d / n_head;
  at::Tensor z = at::empty({qkv.size(0), d}, qkv.options());
  const int64_t sequences = static_cast<int64_t>(first_row.size()) - 1;
  ForEachTask(sequences * n_head, [&](int64_t task) {
    const int64_t sequence = task / n_head, head = task % n_head;
    const int64_t first = first_row[static_cast<size_t>(sequence)];
    const int64_t count = first_row[static_cast<size_t>(sequence) + 1] - first;
    AttendHead(TakeHead(qkv, first, count, head, n_head), static_cast<float>(scale),
               z.narrow(0, first, count).narrow(1, head * d_head, d_head));
  });
  return z;
}

}  // namespace hydrophone
