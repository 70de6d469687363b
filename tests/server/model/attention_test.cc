#include "server/model/attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <limits>

namespace hydrophone {
namespace {

constexpr int64_t kHeads = 3, kWidth = 45;

// The formula, one sequence, in float64. qkv [s, 3d] -> [s, d].
at::Tensor NaiveAttention(const at::Tensor& qkv, double scale) {
  const int64_t s = qkv.size(0);
  const at::Tensor split = qkv.to(at::kDouble).view({s, 3, kHeads, kWidth / kHeads}).permute({1, 2, 0, 3});  // 3,H,s,d/H
  const at::Tensor above = at::ones({s, s}).triu(1).to(at::kBool);
  const at::Tensor scores = at::matmul(split[0], split[1].transpose(1, 2)) * scale;
  const at::Tensor pattern = at::softmax(scores.masked_fill(above, -std::numeric_limits<double>::infinity()), -1);
  return at::matmul(pattern, split[2]).permute({1, 0, 2}).reshape({s, kWidth});
}

TEST(CausalAttentionTest, IsSoftmaxOfTheCausalScoresTimesTheValues) {
  for (int64_t s : {1, 2, 31, 32, 33, 70}) {
    const at::Tensor qkv = at::randn({s, 3 * kWidth});
    const at::Tensor z = CausalAttention(qkv, {0, s}, kHeads, 0.3);
    EXPECT_LT((z.to(at::kDouble) - NaiveAttention(qkv, 0.3)).abs().max().item<double>(), 3e-6) << s;
  }
}

TEST(CausalAttentionTest, KeepsSequencesApart) {
  const at::Tensor a = at::randn({40, 3 * kWidth}), b = at::randn({5, 3 * kWidth}), c = at::randn({33, 3 * kWidth});
  const at::Tensor together = CausalAttention(at::cat({a, b, c}), {0, 40, 45, 78}, kHeads, 0.3);
  EXPECT_TRUE(at::equal(together.narrow(0, 0, 40), CausalAttention(a, {0, 40}, kHeads, 0.3)));
  EXPECT_TRUE(at::equal(together.narrow(0, 40, 5), CausalAttention(b, {0, 5}, kHeads, 0.3)));
  EXPECT_TRUE(at::equal(together.narrow(0, 45, 33), CausalAttention(c, {0, 33}, kHeads, 0.3)));
}

TEST(CausalAttentionTest, GivesAPrefixTheSameBitsAsTheWhole) {
  const at::Tensor qkv = at::randn({100, 3 * kWidth});
  const at::Tensor all = CausalAttention(qkv, {0, 100}, kHeads, 0.3);
  for (int threads : {1, 2, 8}) {
    at::set_num_threads(threads);
    for (int64_t s = 1; s <= 100; ++s) {
      const at::Tensor prefix = CausalAttention(qkv.narrow(0, 0, s), {0, s}, kHeads, 0.3);
      ASSERT_TRUE(at::equal(prefix, all.narrow(0, 0, s))) << s << " threads " << threads;
    }
  }
}

}  // namespace
}  // namespace hydrophone
