// The arithmetic of the forward pass, apart from the device that does it.
//
// clang-format off
//   Gpt2 ──asks──► Kernels ◄── CpuKernels: our own loops; a row's bits depend on nothing but its own past
//                          ◄── TorchKernels: libtorch's operations, for GPUs; the same, where a probe finds it
// clang-format on
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_KERNELS_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_KERNELS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "server/core/activation.h"
#include "server/model/batch/batch_rows.h"
#include "server/model/kernels/attention.h"

namespace hydrophone {

// A Conv1D's weight [in, out] and bias [out], laid out for the kernels that made it. Thread-safe.
class Linear {
 public:
  virtual ~Linear() = default;

  // Hugging Face's Conv1D: x [n, in] times the weight plus the bias: [n, out]. In this and the following functions, the
  // rows of x may lie apart from each other.
  virtual at::Tensor Apply(const at::Tensor& x) const = 0;

  // The activation of Apply(x), elementwise.
  virtual at::Tensor ApplyActivated(const at::Tensor& x, Activation activation) const = 0;

  // x [n, count] times the weight's rows [first, first + count), without the bias: [n, out].
  virtual at::Tensor TimesRows(const at::Tensor& x, int64_t first) const = 0;

  // The weight that Apply uses, laid out as a checkpoint has it: [in, out], contiguous, in the host's memory.
  virtual at::Tensor WeightOnHost() const = 0;
};

// Tensors are float32, on the kernels' device, and contiguous unless a comment says otherwise. Results are new tensors.
// Thread-safe.
class Kernels {
 public:
  virtual ~Kernels() = default;

  virtual at::Device device() const { return at::kCPU; }

  // Makes a Linear of a weight [in, out] in the host's memory and a bias [out] on the device. It may share their
  // memory, which outlives it.
  virtual std::unique_ptr<const Linear> Prepare(const at::Tensor& weight, const at::Tensor& bias) const = 0;

  // x [n, in] times weight [count, in] transposed: [n, count].
  virtual at::Tensor TimesTransposed(const at::Tensor& x, const at::Tensor& weight) const = 0;

  // a + b, elementwise; both have the same shape, and need not be contiguous.
  virtual at::Tensor Add(const at::Tensor& a, const at::Tensor& b) const = 0;

  // Each row of x [n, d], normalised, times weight [d] plus bias [d]; only normalised when these are undefined.
  virtual at::Tensor LayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                               double epsilon) const = 0;

  // What LayerNorm divides each row of x [n, d] by: sqrt(variance + epsilon), computed in float64 and rounded once:
  // [n, 1].
  virtual at::Tensor LayerNormScale(const at::Tensor& x, double epsilon) const = 0;

  // activation(values) of any shape.
  virtual at::Tensor Activate(Activation activation, const at::Tensor& values) const = 0;

  // As the function of that name in cpu/causal_attention.h says. The visitor's squares are in the host's memory.
  virtual at::Tensor CausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences,
                                     int64_t n_head, double scale, AttentionVisitor& visitor) const = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_KERNELS_H_
