// LayerNorm of one row, with sums whose order is fixed: the bits depend on the row alone, and on no CPU or library.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_CPU_LAYER_NORM_ROW_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_CPU_LAYER_NORM_ROW_H_

#include <cstdint>

namespace hydrophone {

// What is applied to each normalised element, [count]; null: nothing.
struct LayerNormAffine {
  const float* weight = nullptr;
  const float* bias = nullptr;
};

// y[j] = (x[j] - mean) * rstd * weight[j] + bias[j] for j < count, each operation rounded to float32; y may be x. The
// sums for the mean and the variance are taken in 32 float32 lanes, element j in lane j mod 32, which are added up in
// float64. rstd = 1 / sqrt(variance + epsilon) is computed in float64 and rounded once. count >= 1.
void LayerNormRow(const float* x, int64_t count, double epsilon, const LayerNormAffine& affine, float* y);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_CPU_LAYER_NORM_ROW_H_
