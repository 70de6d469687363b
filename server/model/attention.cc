#include "server/model/attention.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

#include "server/model/attention_block.h"
#include "server/model/elementwise.h"
#include "server/model/parallel.h"

namespace hydrophone {
namespace {

// One head of one sequence.
struct Head {
  at::Tensor q;          // [padded, d/H]: zero rows where another sequence's row serves, and up to whole blocks
  at::Tensor k;          // [s, d/H]
  at::Tensor v;          // [s, d/H]
  int64_t own_from = 0;  // the first query
};

int64_t PaddedToBlocks(int64_t count) { return (count + kAttentionBlock - 1) / kAttentionBlock * kAttentionBlock; }

// Everything that the heads of a batch's sequences share.
class Attention {
 public:
  Attention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences, int64_t n_head, double scale)
      : qkv_(qkv),
        sequences_(sequences),
        n_head_(n_head),
        d_head_(qkv.q.size(1) / n_head),
        scale_(static_cast<float>(scale)),
        z_(at::empty(qkv.q.sizes(), qkv.q.options().memory_format(at::MemoryFormat::Contiguous))) {}

  // Without looking inside.
  void Attend(const std::vector<size_t>& sequences);
  void AttendVisited(size_t sequence, AttentionVisitor& visitor);

  const at::Tensor& z() const { return z_; }

 private:
  Head TakeHead(size_t sequence, int64_t head) const;
  // The own rows and one head's columns of a sequence.
  at::Tensor OwnPart(const at::Tensor& rows, size_t sequence, int64_t head) const {
    const SequenceRows& one = sequences_[sequence];
    const int64_t own = one.count() - one.own_from;
    return rows.narrow(0, one.rows[static_cast<size_t>(one.own_from)], own).narrow(1, head * d_head_, d_head_);
  }
  // All rows of a sequence, wherever they are, and one head's columns: a copy.
  at::Tensor AllRows(const at::Tensor& rows, size_t sequence, int64_t head) const;

  const QueriesKeysValues& qkv_;
  const std::vector<SequenceRows>& sequences_;
  const int64_t n_head_, d_head_;
  const float scale_;
  at::Tensor z_;  // [tokens, d]
};

at::Tensor Attention::AllRows(const at::Tensor& rows, size_t sequence, int64_t head) const {
  const SequenceRows& one = sequences_[sequence];
  at::Tensor all = at::empty({one.count(), d_head_}, z_.options());
  float* to = all.mutable_data_ptr<float>();
  const float* from = rows.const_data_ptr<float>() + head * d_head_;
  for (int64_t row : one.rows) to = std::copy_n(from + row * rows.stride(0), d_head_, to);
  return all;
}

Head Attention::TakeHead(size_t sequence, int64_t head) const {
  const SequenceRows& one = sequences_[sequence];
  at::Tensor q = at::zeros({PaddedToBlocks(one.count()), d_head_}, z_.options());
  q.narrow(0, one.own_from, one.count() - one.own_from).copy_(OwnPart(qkv_.q, sequence, head));
  return {q, AllRows(qkv_.k, sequence, head), AllRows(qkv_.v, sequence, head), one.own_from};
}

// Unscaled scores of one block of queries, `rows` of them, against all keys up to themselves: [block, first + block]. What lies
// above the diagonal is left as it was.
void ScoreBlock(const Head& head, int64_t first, int64_t rows, at::Tensor& scores) {
  if (first > 0) {
    at::Tensor before = scores.narrow(1, 0, first);
    at::mm_out(before, head.q.narrow(0, first, kAttentionBlock), head.k.narrow(0, 0, first).t());
  }
  const int64_t d_head = head.q.size(1);
  DiagonalScores(head.q.const_data_ptr<float>() + first * d_head, head.k.const_data_ptr<float>() + first * d_head, rows, d_head,
                 scores.mutable_data_ptr<float>() + first, scores.size(1));
}

// The values that one block of patterns [block, first + block] mixes, into `mixed` [block, d/H].
void MixBlock(const at::Tensor& pattern, const Head& head, int64_t first, int64_t rows, at::Tensor& mixed) {
  if (first > 0) {
    at::mm_out(mixed, pattern.narrow(1, 0, first), head.v.narrow(0, 0, first));
  } else {
    mixed.zero_();
  }
  const int64_t d_head = head.v.size(1);
  DiagonalMix(pattern.const_data_ptr<float>() + first, pattern.size(1), head.v.const_data_ptr<float>() + first * d_head, rows,
              d_head, mixed.mutable_data_ptr<float>());
}

// Room for one block of scores at a time, of a sequence of `padded` positions.
class Scratch {
 public:
  explicit Scratch(const Head& head)
      : scores_(at::zeros({kAttentionBlock * head.q.size(0)}, head.q.options())),
        mixed_(at::empty({kAttentionBlock, head.q.size(1)}, head.q.options())) {}

  at::Tensor Scores(int64_t keys) const { return scores_.narrow(0, 0, kAttentionBlock * keys).view({kAttentionBlock, keys}); }
  at::Tensor& mixed() { return mixed_; }

 private:
  at::Tensor scores_, mixed_;
};

// Calls work(first, rows, keys) for each block of a sequence of `count` positions that has queries from `own_from` on.
template <typename Work>
void ForEachBlock(int64_t own_from, int64_t count, const Work& work) {
  for (int64_t first = own_from / kAttentionBlock * kAttentionBlock; first < count; first += kAttentionBlock) {
    work(first, std::min(kAttentionBlock, count - first), first + kAttentionBlock);
  }
}

// z's own rows and columns of one head of one sequence: softmax(q k^T scale) v.
void AttendHead(const Head& head, float scale, at::Tensor z) {
  Scratch scratch(head);
  ForEachBlock(head.own_from, head.k.size(0), [&](int64_t first, int64_t rows, int64_t keys) {
    at::Tensor scores = scratch.Scores(keys);
    ScoreBlock(head, first, rows, scores);
    float* row = scores.mutable_data_ptr<float>();
    for (int64_t i = 0; i < rows; ++i, row += keys) SoftmaxRow(row, first + i + 1, keys, scale);
    MixBlock(scores, head, first, rows, scratch.mixed());
    const int64_t skipped = std::max(head.own_from - first, int64_t{0});  // another sequence's rows
    z.narrow(0, first + skipped - head.own_from, rows - skipped).copy_(scratch.mixed().narrow(0, skipped, rows - skipped));
  });
}

// One head's scaled scores into its square [s, s]; -inf above the diagonal.
void WriteScores(const Head& head, float scale, at::Tensor square) {
  Scratch scratch(head);
  const int64_t count = square.size(0);
  ForEachBlock(0, count, [&](int64_t first, int64_t rows, int64_t keys) {
    at::Tensor scores = scratch.Scores(keys);
    ScoreBlock(head, first, rows, scores);
    for (int64_t i = first; i < first + rows; ++i) {
      const float* from = scores.const_data_ptr<float>() + (i - first) * keys;
      float* to = square.mutable_data_ptr<float>() + i * count;
      for (int64_t j = 0; j <= i; ++j) to[j] = from[j] * scale;
      std::fill(to + i + 1, to + count, kMaskedScore);
    }
  });
}

// The scores of one head's square become its pattern.
void SoftmaxSquare(at::Tensor square) {
  const int64_t count = square.size(0);
  float* row = square.mutable_data_ptr<float>();
  for (int64_t i = 0; i < count; ++i, row += count) SoftmaxRow(row, i + 1, count, 1.0f);
}

// z's rows and columns of one head of one sequence from its pattern [s, s], in the products of the fast path.
void MixSquare(const Head& head, const at::Tensor& square, at::Tensor z) {
  Scratch scratch(head);
  ForEachBlock(0, z.size(0), [&](int64_t first, int64_t rows, int64_t keys) {
    at::Tensor pattern = scratch.Scores(keys);
    const int64_t held = first + rows;
    pattern.narrow(0, 0, rows).narrow(1, 0, held).copy_(square.narrow(0, first, rows).narrow(1, 0, held));
    MixBlock(pattern, head, first, rows, scratch.mixed());
    z.narrow(0, first, rows).copy_(scratch.mixed().narrow(0, 0, rows));
  });
}

void Attention::Attend(const std::vector<size_t>& sequences) {
  ForEachTask(static_cast<int64_t>(sequences.size()) * n_head_, [&](int64_t task) {
    const size_t sequence = sequences[static_cast<size_t>(task / n_head_)];
    const int64_t head = task % n_head_;
    AttendHead(TakeHead(sequence, head), scale_, OwnPart(z_, sequence, head));
  });
}

void Attention::AttendVisited(size_t sequence, AttentionVisitor& visitor) {
  const int64_t count = sequences_[sequence].count();
  at::Tensor square = at::empty({n_head_, count, count}, z_.options());
  std::vector<Head> heads(static_cast<size_t>(n_head_));
  ForEachTask(n_head_, [&](int64_t head) {
    heads[static_cast<size_t>(head)] = TakeHead(sequence, head);
    WriteScores(heads[static_cast<size_t>(head)], scale_, square[head]);
  });
  visitor.OnScores(sequence, square);
  ForEachTask(n_head_, [&](int64_t head) { SoftmaxSquare(square[head]); });
  visitor.OnPattern(sequence, square);
  ForEachTask(n_head_, [&](int64_t head) {
    MixSquare(heads[static_cast<size_t>(head)], square[head], OwnPart(z_, sequence, head));
  });
}

}  // namespace

void MaskFuture(at::Tensor& squares, float value) {
  const int64_t count = squares.size(1);
  float* row = squares.mutable_data_ptr<float>();
  for (int64_t i = 0; i < squares.size(0) * count; ++i, row += count) std::fill(row + i % count + 1, row + count, value);
}

at::Tensor CausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences, int64_t n_head,
                           double scale, AttentionVisitor& visitor) {
  Attention attention(qkv, sequences, n_head, scale);
  const std::vector<size_t> visited = visitor.Visited();
  std::vector<bool> is_visited(sequences.size(), false);
  for (size_t sequence : visited) is_visited[sequence] = true;
  std::vector<size_t> others;
  for (size_t sequence = 0; sequence < is_visited.size(); ++sequence) {
    const bool has_own_rows = sequences[sequence].own_from < sequences[sequence].count();
    if (!is_visited[sequence] && has_own_rows) others.push_back(sequence);
  }
  attention.Attend(others);
  for (size_t sequence : visited) attention.AttendVisited(sequence, visitor);
  return attention.z();
}

}  // namespace hydrophone
