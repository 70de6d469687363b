// The forward pass's arithmetic in libtorch's own operations, on any device that libtorch knows.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_TORCH_TORCH_KERNELS_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_TORCH_TORCH_KERNELS_H_

#include "server/model/kernels/kernels.h"

namespace hydrophone {

// cuBLAS chooses a kernel, and with it the order of a sum, by the shapes, strides and alignments of a product.
enum class ProductShapes : uint8_t {
  // Products have as many rows as there are, which is the fastest. A row's bits depend on how many are multiplied with
  // it.
  kAsTheyCome,
  // All products have kProductRows rows and so one shape; zero rows are added to the last of them.
  kFixed,
};

// A multiple of 64, so that every block of rows of any width begins at a multiple of 256 bytes, as the first one does.
// A GPU takes hardly longer for a product of so many rows than for one of a single row.
inline constexpr int64_t kProductRows = 256;
// The weight's rows that each product of TimesTransposed takes, a multiple of 64 for the same reason.
inline constexpr int64_t kProductColumns = 1024;

// LayerNorm and element-wise functions, which libtorch computes row by row, and attention, which is computed in fixed
// blocks (torch_attention.h), give a row the same bits whatever rows are beside it; with kFixed, products do too.
// probe_kernels.h tries whether that holds on a device.
class TorchKernels final : public Kernels {
 public:
  TorchKernels(at::Device device, ProductShapes shapes) : device_(device), shapes_(shapes) {}

  at::Device device() const override { return device_; }
  std::unique_ptr<const Linear> Prepare(const at::Tensor& weight, const at::Tensor& bias) const override;
  at::Tensor TimesTransposed(const at::Tensor& x, const at::Tensor& weight) const override;
  at::Tensor Add(const at::Tensor& a, const at::Tensor& b) const override;
  at::Tensor LayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       double epsilon) const override;
  at::Tensor LayerNormScale(const at::Tensor& x, double epsilon) const override;
  at::Tensor Activate(Activation activation, const at::Tensor& values) const override;
  at::Tensor CausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences, int64_t n_head,
                             double scale, AttentionVisitor& visitor) const override;

 private:
  const at::Device device_;
  const ProductShapes shapes_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_TORCH_TORCH_KERNELS_H_
