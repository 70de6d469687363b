#include "server/model/kernels/torch/torch_kernels.h"

#include <ATen/ops/add.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/mish.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/var.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "server/model/kernels/torch/torch_attention.h"

namespace hydrophone {
namespace {

// In elements: 256 bytes. Libraries look at no more, and CUDA's allocations have it.
constexpr int64_t kAlignment = 64;

bool IsAligned(const at::Tensor& tensor) { return tensor.storage_offset() % kAlignment == 0; }

int64_t InBlocks(int64_t count, int64_t block) { return (count + block - 1) / block * block; }

// x with zero rows appended until it has `rows`, aligned as an allocation is.
at::Tensor WithRows(const at::Tensor& x, int64_t rows) {
  if (x.size(0) == rows && IsAligned(x)) return x;
  at::Tensor padded = at::empty({rows, x.size(1)}, x.options());
  padded.narrow(0, 0, x.size(0)).copy_(x);
  padded.narrow(0, x.size(0), rows - x.size(0)).zero_();
  return padded;
}

// y [n, width] of x [n, in]. fill(tile, rows) computes a tile of y from the same rows of x; both have kProductRows
// rows.
template <typename Fill>
at::Tensor BlockByBlock(const at::Tensor& x, int64_t width, const Fill& fill) {
  const int64_t rows = InBlocks(x.size(0), kProductRows);
  const at::Tensor padded = WithRows(x, rows);
  const at::Tensor y = at::empty({rows, width}, x.options());
  for (int64_t first = 0; first < rows; first += kProductRows) {
    at::Tensor tile = y.narrow(0, first, kProductRows);
    fill(tile, padded.narrow(0, first, kProductRows));
  }
  return y.narrow(0, 0, x.size(0));
}

void ActivateInPlace(Activation activation, at::Tensor& values) {
  switch (activation) {
    case Activation::kGeluNew:
      at::gelu_(values, "tanh");
      return;
    case Activation::kGelu:
      at::gelu_(values, "none");
      return;
    case Activation::kQuickGelu:
      values.mul_(at::sigmoid(at::mul(values, 1.702)));
      return;
    case Activation::kRelu:
      at::relu_(values);
      return;
    case Activation::kSilu:
      at::silu_(values);
      return;
    case Activation::kTanh:
      at::tanh_(values);
      return;
    case Activation::kGelu10:
      at::gelu_(values, "none");
      values.clamp_(-10, 10);
      return;
    case Activation::kHardswish:
      at::hardswish_(values);
      return;
    case Activation::kLaplace:
      values.sub_(0.707107).div_(0.282095 * M_SQRT2).erf_().add_(1).mul_(0.5);
      return;
    case Activation::kLeakyRelu:
      at::leaky_relu_(values, 0.01);
      return;
    case Activation::kLinear:
      return;
    case Activation::kMish:
      at::mish_(values);
      return;
    case Activation::kRelu2:
      at::relu_(values).square_();
      return;
    case Activation::kRelu6:
      values.clamp_(0, 6);
      return;
    case Activation::kSigmoid:
      values.sigmoid_();
      return;
    case Activation::kSqrtSoftplus:
      values.copy_(at::softplus(values)).sqrt_();
      return;
  }
}

at::Tensor ScaleOf(const at::Tensor& x, double epsilon) {
  const at::Tensor variance = at::var(x.to(at::kDouble), {1}, /*unbiased=*/false, /*keepdim=*/true);
  return at::sqrt(at::add(variance, epsilon));
}

class TorchLinear final : public Linear {
 public:
  TorchLinear(at::Tensor weight, at::Tensor bias, ProductShapes shapes)
      : weight_(std::move(weight)), bias_(std::move(bias)), no_bias_(at::zeros_like(bias_)), shapes_(shapes) {}

  at::Tensor Apply(const at::Tensor& x) const override { return Conv1D(x, weight_, bias_); }
  at::Tensor ApplyActivated(const at::Tensor& x, Activation activation) const override {
    at::Tensor values = Apply(x);
    ActivateInPlace(activation, values);
    return values;
  }
  at::Tensor TimesRows(const at::Tensor& x, int64_t first) const override {
    return Conv1D(x.contiguous(), weight_.narrow(0, first, x.size(1)), no_bias_);
  }
  at::Tensor WeightOnHost() const override { return weight_.cpu(); }

 private:
  at::Tensor Conv1D(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const {
    if (shapes_ == ProductShapes::kAsTheyCome) return at::addmm(bias, x, weight);
    return BlockByBlock(x, weight.size(1),
                        [&](at::Tensor& tile, const at::Tensor& rows) { at::addmm_out(tile, bias, rows, weight); });
  }

  const at::Tensor weight_, bias_, no_bias_;
  const ProductShapes shapes_;
};

}  // namespace

std::unique_ptr<const Linear> TorchKernels::Prepare(const at::Tensor& weight, const at::Tensor& bias) const {
  return std::make_unique<TorchLinear>(weight.to(device_), bias, shapes_);
}

at::Tensor TorchKernels::TimesTransposed(const at::Tensor& x, const at::Tensor& weight) const {
  if (shapes_ == ProductShapes::kAsTheyCome) return at::mm(x, weight.t());
  const int64_t count = weight.size(0);
  return BlockByBlock(x, count, [&](at::Tensor& tile, const at::Tensor& rows) {
    for (int64_t first = 0; first < count; first += kProductColumns) {
      const int64_t columns = std::min(kProductColumns, count - first);
      const at::Tensor factor = WithRows(weight.narrow(0, first, columns), kProductColumns);
      tile.narrow(1, first, columns).copy_(at::mm(rows, factor.t()).narrow(1, 0, columns));
    }
  });
}

at::Tensor TorchKernels::Add(const at::Tensor& a, const at::Tensor& b) const { return at::add(a, b); }

at::Tensor TorchKernels::LayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                   double epsilon) const {
  auto optional = [](const at::Tensor& t) { return t.defined() ? std::optional<at::Tensor>(t) : std::nullopt; };
  return at::layer_norm(x, {x.size(1)}, optional(weight), optional(bias), epsilon);
}

// Computed in blocks of a fixed shape, because how a device splits a sum depends on how many sums there are.
at::Tensor TorchKernels::LayerNormScale(const at::Tensor& x, double epsilon) const {
  return BlockByBlock(x, 1, [&](at::Tensor& tile, const at::Tensor& rows) { tile.copy_(ScaleOf(rows, epsilon)); });
}

at::Tensor TorchKernels::Activate(Activation activation, const at::Tensor& values) const {
  at::Tensor activated = values.clone();
  ActivateInPlace(activation, activated);
  return activated;
}

at::Tensor TorchKernels::CausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences,
                                         int64_t n_head, double scale, AttentionVisitor& visitor) const {
  return TorchCausalAttention(qkv, sequences, n_head, scale, visitor);
}

}  // namespace hydrophone
