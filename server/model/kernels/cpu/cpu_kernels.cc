#include "server/model/kernels/cpu/cpu_kernels.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "server/model/kernels/cpu/causal_attention.h"
#include "server/model/kernels/cpu/elementwise.h"
#include "server/model/kernels/cpu/layer_norm_row.h"
#include "server/model/kernels/cpu/packed_linear.h"
#include "server/model/libtorch/parallel.h"

namespace hydrophone {
namespace {

// Elements of one task of an element-wise loop: large enough to hide a task's cost.
constexpr int64_t kElementsPerTask = 16384;
// About how many multiply-adds take as long as one element of these loops.
constexpr int64_t kSumOfAnElement = 1;
constexpr int64_t kNormOfAnElement = 4;
constexpr int64_t kActivationOfAnElement = 16;

// Calls work(first, count) for parts of `count` elements.
template <typename Work>
void ForElements(int64_t count, int64_t multiply_adds, const Work& work) {
  ForEachTask((count + kElementsPerTask - 1) / kElementsPerTask, count * multiply_adds, [&](int64_t task) {
    const int64_t first = task * kElementsPerTask;
    work(first, std::min(kElementsPerTask, count - first));
  });
}

}  // namespace

std::unique_ptr<const Linear> CpuKernels::Prepare(const at::Tensor& weight, const at::Tensor& bias) const {
  return std::make_unique<PackedLinear>(weight, bias);
}

at::Tensor CpuKernels::TimesTransposed(const at::Tensor& x, const at::Tensor& weight) const {
  return hydrophone::TimesTransposed(x, weight);
}

at::Tensor CpuKernels::Add(const at::Tensor& a, const at::Tensor& b) const {
  const at::Tensor left = a.contiguous(), right = b.contiguous();
  at::Tensor sums = at::empty(a.sizes(), a.options().memory_format(at::MemoryFormat::Contiguous));
  const float* const left_data = left.const_data_ptr<float>();
  const float* const right_data = right.const_data_ptr<float>();
  float* const sums_data = sums.mutable_data_ptr<float>();
  ForElements(sums.numel(), kSumOfAnElement, [&](int64_t first, int64_t count) {
    std::transform(left_data + first, left_data + first + count, right_data + first, sums_data + first, std::plus<>());
  });
  return sums;
}

at::Tensor CpuKernels::LayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                 double epsilon) const {
  const at::Tensor from = x.contiguous();
  at::Tensor normalised = at::empty(x.sizes(), x.options());
  LayerNormAffine affine;
  if (weight.defined()) affine.weight = weight.const_data_ptr<float>();
  if (bias.defined()) affine.bias = bias.const_data_ptr<float>();
  const int64_t rows = x.size(0), d = x.size(1), rows_per_task = std::max<int64_t>(kElementsPerTask / d, 1);
  const float* const source = from.const_data_ptr<float>();
  float* const target = normalised.mutable_data_ptr<float>();
  ForEachTask((rows + rows_per_task - 1) / rows_per_task, rows * d * kNormOfAnElement, [&](int64_t task) {
    const int64_t first = task * rows_per_task, end = std::min(first + rows_per_task, rows);
    for (int64_t row = first; row < end; ++row) {
      LayerNormRow(source + row * d, d, epsilon, affine, target + row * d);
    }
  });
  return normalised;
}

at::Tensor CpuKernels::LayerNormScale(const at::Tensor& x, double epsilon) const {
  const int64_t d = x.size(1);
  at::Tensor scales = at::empty({x.size(0), 1}, x.options());
  float* scale = scales.mutable_data_ptr<float>();
  const float* row = x.const_data_ptr<float>();
  for (int64_t i = 0; i < x.size(0); ++i, row += d) {
    double sum = 0, squares = 0;
    for (int64_t j = 0; j < d; ++j) sum += static_cast<double>(row[j]);
    const double mean = sum / static_cast<double>(d);
    for (int64_t j = 0; j < d; ++j) {
      squares += (static_cast<double>(row[j]) - mean) * (static_cast<double>(row[j]) - mean);
    }
    scale[i] = static_cast<float>(std::sqrt(squares / static_cast<double>(d) + epsilon));
  }
  return scales;
}

at::Tensor CpuKernels::Activate(Activation activation, const at::Tensor& values) const {
  at::Tensor activated = values.clone();
  float* elements = activated.mutable_data_ptr<float>();
  ForElements(activated.numel(), kActivationOfAnElement,
              [&](int64_t first, int64_t count) { ApplyActivation(activation, elements + first, count); });
  return activated;
}

at::Tensor CpuKernels::CausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences,
                                       int64_t n_head, double scale, AttentionVisitor& visitor) const {
  return hydrophone::CausalAttention(qkv, sequences, n_head, scale, visitor);
}

}  // namespace hydrophone
