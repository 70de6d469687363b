#include "server/model/kernels/torch/torch_attention.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "server/model/libtorch/transfers.h"

namespace hydrophone {
namespace {

constexpr int64_t kBlock = kTorchAttentionBlock;

int64_t PaddedToBlocks(int64_t count) { return (count + kBlock - 1) / kBlock * kBlock; }

// One block of queries of a sequence.
struct Block {
  int64_t start = 0;  // the sequence's first row in the padded matrices
  int64_t first = 0;  // position of the first query
  int64_t rows = 0;   // queries that are positions of the sequence; the others are padding

  int64_t keys() const { return first + kBlock; }
};

class Attention {
 public:
  // Attends in `sequences`, numbers in `all`.
  Attention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& all, const std::vector<size_t>& sequences,
            int64_t n_head, double scale);

  void Attend(size_t sequence);
  void AttendVisited(size_t sequence, AttentionVisitor& visitor);

  const at::Tensor& z() const { return z_; }

 private:
  // The rows of a matrix at `indices`: the sequences one after another, each padded to whole blocks with copies of its
  // first row.
  at::Tensor Padded(const at::Tensor& rows, const at::Tensor& indices) const {
    return at::index_select(rows, 0, indices);
  }
  // `count` rows from `first` on, by head: [H, count, d/H].
  at::Tensor Heads(const at::Tensor& rows, int64_t first, int64_t count) const {
    return rows.narrow(0, first, count).view({count, n_head_, d_head_}).transpose(0, 1);
  }
  template <typename Work>
  void ForEachBlock(size_t sequence, int64_t from, const Work& work) const;

  at::Tensor Scores(const Block& block) const;                          // [H, block, keys]
  at::Tensor Mix(const Block& block, const at::Tensor& pattern) const;  // [H, block, d/H]
  void Write(size_t sequence, const Block& block, const at::Tensor& mixed);

  const std::vector<SequenceRows>& sequences_;
  const int64_t n_head_, d_head_;
  const double scale_;
  std::vector<int64_t> starts_;  // where each sequence's padded rows begin
  at::Tensor z_;                 // [tokens, d]
  at::Tensor q_, k_, v_;         // [padded, d]; v with 0 where it is not finite
  // v where it is not finite, else 0, added up from each sequence's start. The pattern's zeros would not keep NaN and
  // infinities out of a product with v, so these are taken out of v and added to the sums of the positions that see
  // them.
  at::Tensor not_finite_;  // [padded, d]
  at::Tensor future_;      // [block, block]: true above the diagonal
};

Attention::Attention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& all,
                     const std::vector<size_t>& sequences, int64_t n_head, double scale)
    : sequences_(all),
      n_head_(n_head),
      d_head_(qkv.q.size(1) / n_head),
      scale_(scale),
      starts_(all.size(), 0),
      z_(at::empty(qkv.q.sizes(), qkv.q.options().memory_format(at::MemoryFormat::Contiguous))) {
  std::vector<int64_t> padded;
  for (size_t sequence : sequences) {
    const SequenceRows& one = all[sequence];
    starts_[sequence] = static_cast<int64_t>(padded.size());
    padded.insert(padded.end(), one.rows.begin(), one.rows.end());
    padded.resize(static_cast<size_t>(starts_[sequence] + PaddedToBlocks(one.count())), one.rows.front());
  }
  const at::Tensor host = at::from_blob(padded.data(), {static_cast<int64_t>(padded.size())}, at::kLong);
  const at::Tensor indices = ToDevice(host, z_.device());
  q_ = Padded(qkv.q, indices);
  k_ = Padded(qkv.k, indices);
  const at::Tensor v = Padded(qkv.v, indices);
  v_ = at::where(at::isfinite(v), v, at::zeros_like(v));
  not_finite_ = at::sub(v, v_);
  for (size_t sequence : sequences) {
    at::Tensor part = not_finite_.narrow(0, starts_[sequence], PaddedToBlocks(all[sequence].count()));
    part.copy_(at::cumsum(part, 0));
  }
  future_ = at::ones({kBlock, kBlock}, z_.options().dtype(at::kBool)).triu(1);
}

// Calls work(block) for each block that has queries from `from` on.
template <typename Work>
void Attention::ForEachBlock(size_t sequence, int64_t from, const Work& work) const {
  const int64_t count = sequences_[sequence].count();
  for (int64_t first = from / kBlock * kBlock; first < count; first += kBlock) {
    work(Block{starts_[sequence], first, std::min(kBlock, count - first)});
  }
}

at::Tensor Attention::Scores(const Block& block) const {
  const at::Tensor q = Heads(q_, block.start + block.first, kBlock), k = Heads(k_, block.start, block.keys());
  at::Tensor scores = at::bmm(q, k.transpose(1, 2)).mul_(scale_);
  scores.narrow(2, block.first, kBlock).masked_fill_(future_, kMaskedScore);
  return scores;
}

at::Tensor Attention::Mix(const Block& block, const at::Tensor& pattern) const {
  return at::bmm(pattern, Heads(v_, block.start, block.keys()))
      .add_(Heads(not_finite_, block.start + block.first, kBlock));
}

// Writes the block's rows of z that are the sequence's own.
void Attention::Write(size_t sequence, const Block& block, const at::Tensor& mixed) {
  const SequenceRows& one = sequences_[sequence];
  const int64_t skipped = std::max(one.own_from - block.first, int64_t{0});  // rows that another sequence computes
  const int64_t row = one.rows[static_cast<size_t>(block.first + skipped)], rows = block.rows - skipped;
  Heads(z_, row, rows).copy_(mixed.narrow(1, skipped, rows));
}

void Attention::Attend(size_t sequence) {
  ForEachBlock(sequence, sequences_[sequence].own_from,
               [&](const Block& block) { Write(sequence, block, Mix(block, at::softmax(Scores(block), 2))); });
}

// Runs the fast path's operations on the same shapes: the squares are cut into its blocks again.
void Attention::AttendVisited(size_t sequence, AttentionVisitor& visitor) {
  const int64_t count = sequences_[sequence].count();
  auto part = [&](const at::Tensor& square, const Block& block) {
    return square.narrow(1, block.first, block.rows).narrow(2, 0, std::min(block.keys(), count));
  };
  auto whole = [&](const at::Tensor& values, const Block& block, float padding) {
    at::Tensor padded = at::full({n_head_, kBlock, block.keys()}, padding, z_.options());
    padded.narrow(1, 0, values.size(1)).narrow(2, 0, values.size(2)).copy_(values);
    return padded;
  };
  auto cut = [&](const at::Tensor& values, const Block& block) {
    return values.narrow(1, 0, block.rows).narrow(2, 0, std::min(block.keys(), count));
  };
  at::Tensor square = at::full({n_head_, count, count}, kMaskedScore, z_.options());
  ForEachBlock(sequence, 0, [&](const Block& block) { part(square, block).copy_(cut(Scores(block), block)); });
  at::Tensor host = ToHost(square);
  visitor.OnScores(sequence, host);
  square = ToDevice(host, z_.device());
  at::Tensor pattern = at::zeros({n_head_, count, count}, z_.options());
  ForEachBlock(sequence, 0, [&](const Block& block) {
    part(pattern, block).copy_(cut(at::softmax(whole(part(square, block), block, kMaskedScore), 2), block));
  });
  host = ToHost(pattern);
  visitor.OnPattern(sequence, host);
  pattern = ToDevice(host, z_.device());
  ForEachBlock(sequence, 0, [&](const Block& block) {
    Write(sequence, block, Mix(block, whole(part(pattern, block), block, 0.0f)));
  });
}

}  // namespace

at::Tensor TorchCausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences,
                                int64_t n_head, double scale, AttentionVisitor& visitor) {
  const std::vector<size_t> visited = visitor.Visited();
  std::vector<bool> is_visited(sequences.size(), false);
  for (size_t sequence : visited) is_visited[sequence] = true;
  std::vector<size_t> others;
  for (size_t sequence = 0; sequence < sequences.size(); ++sequence) {
    const bool has_own_rows = sequences[sequence].own_from < sequences[sequence].count();
    if (!is_visited[sequence] && has_own_rows) others.push_back(sequence);
  }
  std::vector<size_t> all = others;
  all.insert(all.end(), visited.begin(), visited.end());
  Attention attention(qkv, sequences, all, n_head, scale);
  for (size_t sequence : others) attention.Attend(sequence);
  for (size_t sequence : visited) attention.AttendVisited(sequence, visitor);
  return attention.z();
}

}  // namespace hydrophone
