// The forward pass's arithmetic on the CPU.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_CPU_CPU_KERNELS_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_CPU_CPU_KERNELS_H_

#include "server/model/kernels/kernels.h"

namespace hydrophone {

// A row's bits depend on nothing but its own past: products and attention are our own, LayerNorm is libtorch's.
class CpuKernels final : public Kernels {
 public:
  std::unique_ptr<const Linear> Prepare(const at::Tensor& weight, const at::Tensor& bias) const override;
  at::Tensor TimesTransposed(const at::Tensor& x, const at::Tensor& weight) const override;
  at::Tensor Add(const at::Tensor& a, const at::Tensor& b) const override;
  at::Tensor LayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       double epsilon) const override;
  at::Tensor LayerNormScale(const at::Tensor& x, double epsilon) const override;
  at::Tensor Activate(Activation activation, const at::Tensor& values) const override;
  at::Tensor CausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences, int64_t n_head,
                             double scale, AttentionVisitor& visitor) const override;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_CPU_CPU_KERNELS_H_
