// Products on the CPU, with the bits that panel_products.h defines.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PACKED_LINEAR_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PACKED_LINEAR_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "server/model/kernels/kernels.h"

namespace hydrophone {

// Keeps the weight in panels, which take as much memory as the weight; the weight itself is not needed any more.
class PackedLinear final : public Linear {
 public:
  // `weight` [in, out] and `bias` [out] are float32 on the CPU; the weight's rows are contiguous.
  PackedLinear(const at::Tensor& weight, const at::Tensor& bias);

  at::Tensor Apply(const at::Tensor& x) const override { return Times(x, 0, bias_, std::nullopt); }
  at::Tensor ApplyActivated(const at::Tensor& x, Activation activation) const override {
    return Times(x, 0, bias_, activation);
  }
  at::Tensor TimesRows(const at::Tensor& x, int64_t first) const override;
  at::Tensor WeightOnHost() const override;

 private:
  // The activation, if there is one, of x times the weight's rows from `first` on plus `start`, if it is defined.
  at::Tensor Times(const at::Tensor& x, int64_t first, const at::Tensor& start,
                   std::optional<Activation> activation) const;

  int64_t in_ = 0, out_ = 0;
  at::Tensor panels_;  // [panels, in, PanelColumns()]; zeros where the last panel is wider than the weight
  at::Tensor bias_;    // [out]
};

// x [n, in] times weight [count, in] transposed: [n, count]; float32, rows contiguous. The weight is packed into panels
// piece by piece.
at::Tensor TimesTransposed(const at::Tensor& x, const at::Tensor& weight);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_CPU_PACKED_LINEAR_H_
