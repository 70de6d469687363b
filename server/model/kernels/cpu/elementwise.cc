#include "server/model/kernels/cpu/elementwise.h"

#include <algorithm>
#include <cmath>

#include "server/core/vector_clones.h"
#include "server/model/kernels/cpu/vector_functions.h"

namespace hydrophone {
namespace {

// x sigmoid(z)
HYDROPHONE_INLINE void Gate(Vector& x, const Vector& z) {
  Vector e = -z;
  Exp(e);
  x = x / (1.0f + e);
}

// 0.5 (1 + tanh(u)) is sigmoid(2 u).
HYDROPHONE_INLINE void GeluNewOf(Vector& x) {
  constexpr float kTwiceRoot2OverPi = 1.5957691216057308f;
  const Vector z = kTwiceRoot2OverPi * (x + 0.044715f * (x * x * x));
  Gate(x, z);
}
HYDROPHONE_INLINE void QuickGeluOf(Vector& x) {
  const Vector z = 1.702f * x;
  Gate(x, z);
}
HYDROPHONE_INLINE void SiluOf(Vector& x) {
  const Vector z = x;
  Gate(x, z);
}
HYDROPHONE_INLINE void ReluOf(Vector& x) { x = x < 0.0f ? Vector{} : x; }

HYDROPHONE_INLINE void GeluOf(Vector& x) {
  Vector e = x * 0.70710678118654752f;
  Erf(e);
  x = x * 0.5f * (1.0f + e);
}
// NaN stays NaN: it is neither below nor above.
HYDROPHONE_INLINE void Clamp(Vector& x, float least, float most) {
  x = x < least ? Vector{} + least : x;
  x = x > most ? Vector{} + most : x;
}
HYDROPHONE_INLINE void Gelu10Of(Vector& x) {
  GeluOf(x);
  Clamp(x, -10.0f, 10.0f);
}
HYDROPHONE_INLINE void HardswishOf(Vector& x) {
  Vector gate = x + 3.0f;
  Clamp(gate, 0.0f, 6.0f);
  x = x * (gate / 6.0f);
}
HYDROPHONE_INLINE void LaplaceOf(Vector& x) {
  constexpr float kMean = 0.707107f, kScale = 0.282095f * 1.41421356f;
  x = (x - kMean) / kScale;
  Erf(x);
  x = 0.5f * (1.0f + x);
}
HYDROPHONE_INLINE void LeakyReluOf(Vector& x) { x = x < 0.0f ? 0.01f * x : x; }
// log(1 + exp(x)), which above 20 is x, as in PyTorch.
HYDROPHONE_INLINE void SoftplusOf(Vector& x) {
  Vector soft = x;
  Exp(soft);
  Log1p(soft);
  x = x > 20.0f ? x : soft;
}
// x tanh(log(1 + e)), with e = exp(x), is x n / (n + 2), with n = e (e + 2).
HYDROPHONE_INLINE void MishOf(Vector& x) {
  Vector e = x > 20.0f ? Vector{} : x;
  Exp(e);
  const Vector n = e * (e + 2.0f);
  x = x > 20.0f ? x : x * (n / (n + 2.0f));
}
HYDROPHONE_INLINE void Relu2Of(Vector& x) {
  ReluOf(x);
  x = x * x;
}
HYDROPHONE_INLINE void Relu6Of(Vector& x) { Clamp(x, 0.0f, 6.0f); }
HYDROPHONE_INLINE void SigmoidOf(Vector& x) {
  Vector e = -x;
  Exp(e);
  x = 1.0f / (1.0f + e);
}

// Takes kWidth elements at a time; the remaining ones go through the same operations, with zeros beside them.
template <void (*kFunction)(Vector&)>
HYDROPHONE_INLINE void ForEachVector(float* values, int64_t count) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) kFunction(*reinterpret_cast<Vector*>(values + i));
  if (i == count) return;
  Vector rest = {};
  std::copy(values + i, values + count, reinterpret_cast<float*>(&rest));
  kFunction(rest);
  std::copy_n(reinterpret_cast<const float*>(&rest), count - i, values + i);
}

HYDROPHONE_VECTOR_CLONES void GeluNew(float* values, int64_t count) { ForEachVector<GeluNewOf>(values, count); }
HYDROPHONE_VECTOR_CLONES void QuickGelu(float* values, int64_t count) { ForEachVector<QuickGeluOf>(values, count); }
HYDROPHONE_VECTOR_CLONES void Silu(float* values, int64_t count) { ForEachVector<SiluOf>(values, count); }
HYDROPHONE_VECTOR_CLONES void Relu(float* values, int64_t count) { ForEachVector<ReluOf>(values, count); }

HYDROPHONE_VECTOR_CLONES void Gelu(float* values, int64_t count) { ForEachVector<GeluOf>(values, count); }
HYDROPHONE_VECTOR_CLONES void Tanh(float* values, int64_t count) { ForEachVector<hydrophone::Tanh>(values, count); }
HYDROPHONE_VECTOR_CLONES void Gelu10(float* values, int64_t count) { ForEachVector<Gelu10Of>(values, count); }
HYDROPHONE_VECTOR_CLONES void Hardswish(float* values, int64_t count) { ForEachVector<HardswishOf>(values, count); }
HYDROPHONE_VECTOR_CLONES void Laplace(float* values, int64_t count) { ForEachVector<LaplaceOf>(values, count); }
HYDROPHONE_VECTOR_CLONES void LeakyRelu(float* values, int64_t count) { ForEachVector<LeakyReluOf>(values, count); }
HYDROPHONE_VECTOR_CLONES void Mish(float* values, int64_t count) { ForEachVector<MishOf>(values, count); }
HYDROPHONE_VECTOR_CLONES void Relu2(float* values, int64_t count) { ForEachVector<Relu2Of>(values, count); }
HYDROPHONE_VECTOR_CLONES void Relu6(float* values, int64_t count) { ForEachVector<Relu6Of>(values, count); }
HYDROPHONE_VECTOR_CLONES void Sigmoid(float* values, int64_t count) { ForEachVector<SigmoidOf>(values, count); }

// The square root is IEEE's, element by element.
HYDROPHONE_VECTOR_CLONES void SqrtSoftplus(float* values, int64_t count) {
  ForEachVector<SoftplusOf>(values, count);
  for (int64_t i = 0; i < count; ++i) values[i] = std::sqrt(values[i]);
}

}  // namespace

void ApplyActivation(Activation activation, float* values, int64_t count) {
  switch (activation) {
    case Activation::kGeluNew:
      return GeluNew(values, count);
    case Activation::kGelu:
      return Gelu(values, count);
    case Activation::kQuickGelu:
      return QuickGelu(values, count);
    case Activation::kRelu:
      return Relu(values, count);
    case Activation::kSilu:
      return Silu(values, count);
    case Activation::kTanh:
      return Tanh(values, count);
    case Activation::kGelu10:
      return Gelu10(values, count);
    case Activation::kHardswish:
      return Hardswish(values, count);
    case Activation::kLaplace:
      return Laplace(values, count);
    case Activation::kLeakyRelu:
      return LeakyRelu(values, count);
    case Activation::kLinear:
      return;
    case Activation::kMish:
      return Mish(values, count);
    case Activation::kRelu2:
      return Relu2(values, count);
    case Activation::kRelu6:
      return Relu6(values, count);
    case Activation::kSigmoid:
      return Sigmoid(values, count);
    case Activation::kSqrtSoftplus:
      return SqrtSoftplus(values, count);
  }
}

}  // namespace hydrophone
