// The forward pass's arithmetic on the CPU.
#ifndef HYDROPHONE_SERVER_MODEL_CPU_KERNELS_H_
#define HYDROPHONE_SERVER_MODEL_CPU_KERNELS_H_

#include "server/model/kernels.h"
#include "server/model/linear.h"

namespace hydrophone {

// A row's bits depend on nothing but its own past, where the probe found that `blocking` gives that (numerics.h).
class CpuKernels final : public Kernels {
 public:
  explicit CpuKernels(RowBlocking blocking) : blocking_(blocking) {}

  at::Tensor Conv1D(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const override;
  at::Tensor Conv1DActivated(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             Gpt2Config::Activation activation) const override;
  at::Tensor TimesTransposed(const at::Tensor& x, const at::Tensor& weight) const override;
  at::Tensor LayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       double epsilon) const override;
  at::Tensor LayerNormScale(const at::Tensor& x, double epsilon) const override;
  at::Tensor Activate(Gpt2Config::Activation activation, const at::Tensor& values) const override;
  at::Tensor CausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences, int64_t n_head,
                             double scale, AttentionVisitor& visitor) const override;

 private:
  const RowBlocking blocking_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_CPU_KERNELS_H_
