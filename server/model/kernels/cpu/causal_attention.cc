#include "server/model/kernels/cpu/causal_attention.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "server/model/kernels/cpu/attention_products.h"
#include "server/model/kernels/cpu/elementwise.h"
#include "server/model/libtorch/parallel.h"

namespace hydrophone {
namespace {

// How many queries of a sequence are scored and mixed together: as many as the registers hold the sums of.
constexpr int64_t kQueryGroup = 12;

struct QueryGroup {
  int64_t first = 0;  // position of the first query
  int64_t rows = 0;

  int64_t keys() const { return first + rows; }
};

// Calls work(group) for the queries [from, count) of a sequence.
template <typename Work>
void ForEachGroup(int64_t from, int64_t count, const Work& work) {
  for (int64_t first = from; first < count; first += kQueryGroup) {
    work(QueryGroup{first, std::min(kQueryGroup, count - first)});
  }
}

// Attention over one batch: what all heads of all sequences share.
class Attention {
 public:
  Attention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences, int64_t n_head, double scale)
      : qkv_(qkv),
        sequences_(sequences),
        n_head_(n_head),
        d_head_(qkv.q.size(1) / n_head),
        scale_(static_cast<float>(scale)),
        z_(at::empty(qkv.q.sizes(), qkv.q.options().memory_format(at::MemoryFormat::Contiguous))),
        z_data_(z_.mutable_data_ptr<float>()) {}

  // The fast path: no square is laid out.
  void Attend(const std::vector<size_t>& sequences);
  void AttendVisited(size_t sequence, AttentionVisitor& visitor);

  const at::Tensor& z() const { return z_; }

 private:
  // One head's columns of all rows of a sequence.
  HeadRows RowsOf(const at::Tensor& matrix, size_t sequence, int64_t head) const {
    return {matrix.const_data_ptr<float>() + head * d_head_, matrix.stride(0), sequences_[sequence].rows};
  }
  void Pack(size_t sequence, int64_t head, PackedHead& packed) const {
    packed.Pack(RowsOf(qkv_.k, sequence, head), RowsOf(qkv_.v, sequence, head), d_head_);
  }
  // z's rows from a query on.
  StridedRows<float> Z(size_t sequence, int64_t position, int64_t head) const {
    return StridedRows<float>{z_data_, z_.stride(0)}.From(sequences_[sequence].rows[static_cast<size_t>(position)],
                                                          head * d_head_);
  }

  // Of scores and mixture of all heads, at most.
  int64_t MultiplyAdds(size_t sequence) const {
    const int64_t count = sequences_[sequence].count();
    return 2 * (count - sequences_[sequence].own_from) * count * n_head_ * d_head_;
  }
  void AttendHead(size_t sequence, int64_t head) const;
  // Writes the unscaled scores of a group's queries.
  void Score(size_t sequence, int64_t head, const PackedHead& packed, QueryGroup group,
             StridedRows<float> scores) const {
    const HeadRows q = RowsOf(qkv_.q, sequence, head);
    packed.Score({q.Row(group.first), q.stride}, group.rows, group.keys(), scores);
  }
  void WriteScores(size_t sequence, int64_t head, const PackedHead& packed, const at::Tensor& square) const;
  void MixSquare(size_t sequence, int64_t head, const PackedHead& packed, const at::Tensor& square) const;

  const QueriesKeysValues& qkv_;
  const std::vector<SequenceRows>& sequences_;
  const int64_t n_head_, d_head_;
  const float scale_;
  at::Tensor z_;  // [tokens, d]
  float* const z_data_;
};

// Computes softmax(q k^T scale) v of one head of one sequence, for the sequence's own rows.
void Attention::AttendHead(size_t sequence, int64_t head) const {
  // Kept from one head to the next, because new memory costs more than the work on it; at most a context's worth for
  // each thread.
  thread_local PackedHead packed;
  thread_local std::vector<float> scores;
  Pack(sequence, head, packed);
  const int64_t stride = PackedHead::Padded(packed.count());
  scores.resize(static_cast<size_t>(kQueryGroup * stride));
  ForEachGroup(sequences_[sequence].own_from, packed.count(), [&](QueryGroup group) {
    Score(sequence, head, packed, group, {scores.data(), stride});
    for (int64_t i = 0; i < group.rows; ++i) SoftmaxRow(scores.data() + i * stride, group.first + i + 1, scale_);
    packed.Mix({scores.data(), stride}, group.first, group.rows, Z(sequence, group.first, head));
  });
}

// One head's scaled scores into its square [s, s]; -inf above the diagonal.
void Attention::WriteScores(size_t sequence, int64_t head, const PackedHead& packed, const at::Tensor& square) const {
  const int64_t count = packed.count(), stride = PackedHead::Padded(count);
  std::vector<float> scores(static_cast<size_t>(kQueryGroup * stride));
  float* const squares = square.mutable_data_ptr<float>();
  ForEachGroup(0, count, [&](QueryGroup group) {
    Score(sequence, head, packed, group, {scores.data(), stride});
    for (int64_t i = 0; i < group.rows; ++i) {
      const float* from = scores.data() + i * stride;
      float* to = squares + (group.first + i) * count;
      const int64_t keys = group.first + i + 1;
      for (int64_t j = 0; j < keys; ++j) to[j] = from[j] * scale_;
      std::fill(to + keys, to + count, kMaskedScore);
    }
  });
}

// The scores of one head's square become its pattern.
void SoftmaxSquare(const at::Tensor& square) {
  const int64_t count = square.size(0);
  float* row = square.mutable_data_ptr<float>();
  for (int64_t i = 0; i < count; ++i, row += count) {
    SoftmaxRow(row, i + 1, 1.0f);
    std::fill(row + i + 1, row + count, 0.0f);
  }
}

// Computes z of one head of one sequence from its pattern [s, s].
void Attention::MixSquare(size_t sequence, int64_t head, const PackedHead& packed, const at::Tensor& square) const {
  const int64_t count = packed.count();
  const StridedRows<const float> pattern{square.const_data_ptr<float>(), count};
  ForEachGroup(0, count, [&](QueryGroup group) {
    packed.Mix(pattern.From(group.first, 0), group.first, group.rows, Z(sequence, group.first, head));
  });
}

void Attention::Attend(const std::vector<size_t>& sequences) {
  int64_t multiply_adds = 0;
  for (size_t sequence : sequences) multiply_adds += MultiplyAdds(sequence);
  ForEachTask(static_cast<int64_t>(sequences.size()) * n_head_, multiply_adds,
              [&](int64_t task) { AttendHead(sequences[static_cast<size_t>(task / n_head_)], task % n_head_); });
}

void Attention::AttendVisited(size_t sequence, AttentionVisitor& visitor) {
  const int64_t count = sequences_[sequence].count();
  at::Tensor square = at::empty({n_head_, count, count}, z_.options());
  std::vector<PackedHead> heads(static_cast<size_t>(n_head_));
  const int64_t multiply_adds = MultiplyAdds(sequence) / 2;
  ForEachTask(n_head_, multiply_adds, [&](int64_t head) {
    PackedHead& packed = heads[static_cast<size_t>(head)];
    Pack(sequence, head, packed);
    WriteScores(sequence, head, packed, square[head]);
  });
  visitor.OnScores(sequence, square);
  ForEachTask(n_head_, multiply_adds, [&](int64_t head) { SoftmaxSquare(square[head]); });
  visitor.OnPattern(sequence, square);
  ForEachTask(n_head_, multiply_adds,
              [&](int64_t head) { MixSquare(sequence, head, heads[static_cast<size_t>(head)], square[head]); });
}

}  // namespace

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
