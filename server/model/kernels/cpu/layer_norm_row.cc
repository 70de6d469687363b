#include "server/model/kernels/cpu/layer_norm_row.h"

#include <array>
#include <cmath>

#include "server/core/vector_clones.h"
#include "server/model/kernels/cpu/vector_functions.h"

namespace hydrophone {
namespace {

// The sum of x[j] - centre, or of its squares.
template <bool kSquared>
HYDROPHONE_INLINE double SumAround(const float* x, int64_t count, float centre) {
  Vector sums[2] = {};
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    for (int64_t half = 0; half < 2; ++half) {
      const Vector part = *reinterpret_cast<const Vector*>(x + j + half * kWidth) - centre;
      sums[half] += kSquared ? part * part : part;
    }
  }
  std::array<float, kLanes> lanes;
  for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = sums[lane / kWidth][lane % kWidth];
  for (size_t lane = 0; j < count; ++lane, ++j) {
    const float part = x[j] - centre;
    lanes[lane] += kSquared ? part * part : part;
  }
  std::array<double, kLanes> wide;
  for (size_t lane = 0; lane < kLanes; ++lane) wide[lane] = static_cast<double>(lanes[lane]);
  return SumOfLanes(wide);
}

}  // namespace

HYDROPHONE_VECTOR_CLONES void LayerNormRow(const float* x, int64_t count, double epsilon, const LayerNormAffine& affine,
                                           float* y) {
  const double n = static_cast<double>(count);
  const float mean = static_cast<float>(SumAround<false>(x, count, 0.0f) / n);
  const float rstd = static_cast<float>(1.0 / std::sqrt(SumAround<true>(x, count, mean) / n + epsilon));
  for (int64_t j = 0; j < count; ++j) y[j] = (x[j] - mean) * rstd;
  if (affine.weight != nullptr) {
    for (int64_t j = 0; j < count; ++j) y[j] *= affine.weight[j];
  }
  if (affine.bias != nullptr) {
    for (int64_t j = 0; j < count; ++j) y[j] += affine.bias[j];
  }
}

}  // namespace hydrophone
