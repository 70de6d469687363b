#include "server/model/kernels/cpu/causal_attention.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "server/model/libtorch/parallel.h"
#include "tests/server/model/seeded.h"

namespace hydrophone {
namespace {

constexpr int64_t kHeads = 3, kWidth = 45;

// The formula, one sequence, in float64. qkv [s, 3d] -> [s, d].
at::Tensor NaiveAttention(const at::Tensor& qkv, double scale) {
  const int64_t s = qkv.size(0);
  const at::Tensor split =
      qkv.to(at::kDouble).view({s, 3, kHeads, kWidth / kHeads}).permute({1, 2, 0, 3});  // 3,H,s,d/H
  const at::Tensor above = at::ones({s, s}).triu(1).to(at::kBool);
  const at::Tensor scores = at::matmul(split[0], split[1].transpose(1, 2)) * scale;
  const at::Tensor pattern = at::softmax(scores.masked_fill(above, -std::numeric_limits<double>::infinity()), -1);
  return at::matmul(pattern, split[2]).permute({1, 0, 2}).reshape({s, kWidth});
}

class CausalAttentionTest : public testing::Test, Seeded {};

class NoVisitor : public AttentionVisitor {
 public:
  std::vector<size_t> Visited() const override { return {}; }
  void OnScores(size_t, at::Tensor&) override { ADD_FAILURE(); }
  void OnPattern(size_t, at::Tensor&) override { ADD_FAILURE(); }
};

QueriesKeysValues Split(const at::Tensor& qkv) {
  return {qkv.narrow(1, 0, kWidth), qkv.narrow(1, kWidth, kWidth), qkv.narrow(1, 2 * kWidth, kWidth)};
}

// Sequence i has the rows [first_row[i], first_row[i+1]).
at::Tensor AttendWith(AttentionVisitor& visitor, const at::Tensor& qkv, const std::vector<int64_t>& first_row) {
  std::vector<int64_t> rows(static_cast<size_t>(first_row.back()));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  std::vector<SequenceRows> sequences;
  for (size_t i = 0; i + 1 < first_row.size(); ++i) {
    const auto first = static_cast<size_t>(first_row[i]), end = static_cast<size_t>(first_row[i + 1]);
    sequences.push_back({absl::MakeConstSpan(rows).subspan(first, end - first), 0});
  }
  return CausalAttention(Split(qkv), sequences, kHeads, 0.3, visitor);
}

at::Tensor Attend(const at::Tensor& qkv, const std::vector<int64_t>& first_row) {
  NoVisitor nobody;
  return AttendWith(nobody, qkv, first_row);
}

// Keeps what it sees of sequence 1, and changes nothing.
class Watcher : public AttentionVisitor {
 public:
  std::vector<size_t> Visited() const override { return {1}; }
  void OnScores(size_t sequence, at::Tensor& square) override {
    EXPECT_EQ(sequence, 1);
    scores = square.clone();
  }
  void OnPattern(size_t, at::Tensor& square) override { pattern = square.clone(); }

  at::Tensor scores, pattern;
};

TEST_F(CausalAttentionTest, AVisitThatChangesNothingChangesNoBit) {
  const at::Tensor qkv = at::randn({118, 3 * kWidth});
  const std::vector<int64_t> first_row = {0, 40, 113, 118};
  Watcher watcher;
  const at::Tensor watched = AttendWith(watcher, qkv, first_row);
  EXPECT_TRUE(at::equal(watched, Attend(qkv, first_row)));

  const at::Tensor above = at::ones({73, 73}).triu(1).to(at::kBool);
  EXPECT_TRUE(watcher.scores.masked_select(above).eq(kMaskedScore).all().item<bool>());
  EXPECT_TRUE(watcher.pattern.masked_select(above).eq(0).all().item<bool>());
  EXPECT_LT((watcher.pattern - at::softmax(watcher.scores, -1)).abs().max().item<float>(), 1e-6);
}

// The second sequence is the first one's beginning and other rows after that.
TEST_F(CausalAttentionTest, ASequenceThatSharesRowsHasTheBitsOfOneThatDoesNot) {
  const int64_t length = 75;
  for (int64_t shared : {1, 31, 32, 33, 50, 75}) {
    const at::Tensor a = at::randn({length, 3 * kWidth}), b = at::randn({length - shared, 3 * kWidth});
    const at::Tensor whole = Attend(at::cat({a.narrow(0, 0, shared), b}), {0, length});
    std::vector<int64_t> first(length), second(length);
    std::iota(first.begin(), first.end(), int64_t{0});
    std::iota(second.begin(), second.end(), int64_t{0});
    for (int64_t i = shared; i < length; ++i) second[static_cast<size_t>(i)] = length + i - shared;
    const at::Tensor both = at::cat({a, b});
    NoVisitor nobody;
    const at::Tensor z = CausalAttention(Split(both), {{first, 0}, {second, shared}}, kHeads, 0.3, nobody);
    EXPECT_TRUE(at::equal(z.narrow(0, 0, length), Attend(a, {0, length}))) << shared;
    EXPECT_TRUE(at::equal(z.narrow(0, length, length - shared), whole.narrow(0, shared, length - shared))) << shared;
  }
}

TEST_F(CausalAttentionTest, GoesOnWithWhatAVisitorLeaves) {
  class Uniform : public AttentionVisitor {
   public:
    std::vector<size_t> Visited() const override { return {0}; }
    void OnScores(size_t, at::Tensor& scores) override {
      scores.fill_(2);
      const at::Tensor future = at::ones_like(scores, at::kBool).triu(1);
      scores.masked_fill_(future, kMaskedScore);
    }
    void OnPattern(size_t, at::Tensor& pattern) override {
      EXPECT_NEAR(pattern[0][3][2].item<float>(), 0.25, 1e-7);
      pattern[1].zero_();
    }
  };
  const at::Tensor qkv = at::randn({40, 3 * kWidth});
  Uniform uniform;
  const at::Tensor z = AttendWith(uniform, qkv, {0, 40});
  const int64_t width = kWidth / kHeads;
  const at::Tensor mean = Split(qkv).v.narrow(0, 0, 8).mean(0);
  EXPECT_LT((z[7] - mean).narrow(0, 0, width).abs().max().item<float>(), 1e-6);
  EXPECT_EQ(z.narrow(1, width, width).abs().max().item<float>(), 0);
}

TEST_F(CausalAttentionTest, IsSoftmaxOfTheCausalScoresTimesTheValues) {
  for (int64_t s : {1, 2, 31, 32, 33, 70}) {
    const at::Tensor qkv = at::randn({s, 3 * kWidth});
    const at::Tensor z = Attend(qkv, {0, s});
    EXPECT_LT((z.to(at::kDouble) - NaiveAttention(qkv, 0.3)).abs().max().item<double>(), 3e-6) << s;
  }
}

TEST_F(CausalAttentionTest, WhatComesAfterARowDoesNotReachItWereItNotANumber) {
  const at::Tensor clean = at::randn({70, 3 * kWidth});
  const at::Tensor z = Attend(clean, {0, 70});
  for (int64_t poisoned : {1, 20, 45, 69}) {
    at::Tensor qkv = clean.clone();
    qkv[poisoned].fill_(std::numeric_limits<float>::quiet_NaN());
    const at::Tensor some = Attend(qkv, {0, 70});
    EXPECT_TRUE(at::equal(some.narrow(0, 0, poisoned), z.narrow(0, 0, poisoned))) << poisoned;
    EXPECT_TRUE(some[poisoned].isnan().all().item<bool>());
  }
}

TEST_F(CausalAttentionTest, KeepsSequencesApart) {
  const at::Tensor a = at::randn({40, 3 * kWidth}), b = at::randn({5, 3 * kWidth}), c = at::randn({33, 3 * kWidth});
  const at::Tensor together = Attend(at::cat({a, b, c}), {0, 40, 45, 78});
  EXPECT_TRUE(at::equal(together.narrow(0, 0, 40), Attend(a, {0, 40})));
  EXPECT_TRUE(at::equal(together.narrow(0, 40, 5), Attend(b, {0, 5})));
  EXPECT_TRUE(at::equal(together.narrow(0, 45, 33), Attend(c, {0, 33})));
}

TEST_F(CausalAttentionTest, GivesAPrefixTheSameBitsAsTheWhole) {
  const at::Tensor qkv = at::randn({100, 3 * kWidth});
  const at::Tensor all = Attend(qkv, {0, 100});
  for (int threads : {1, 2, 8}) {
    SetThreads(threads);
    for (int64_t s = 1; s <= 100; ++s) {
      const at::Tensor prefix = Attend(qkv.narrow(0, 0, s), {0, s});
      ASSERT_TRUE(at::equal(prefix, all.narrow(0, 0, s))) << s << " threads " << threads;
    }
  }
}

}  // namespace
}  // namespace hydrophone
