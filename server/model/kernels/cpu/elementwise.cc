#include "server/model/kernels/cpu/elementwise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "server/core/vector_clones.h"

namespace hydrophone {
namespace {

#define HYDROPHONE_INLINE inline __attribute__((always_inline))

// kWidth elements at any address. In loops that are written with these vectors, comparisons stay free of branches,
// while compilers turn scalar comparisons into jumps. Functions take them by reference, because passing them by value
// would differ from one instruction set to the next.
constexpr int64_t kWidth = 16;
typedef float Vector __attribute__((vector_size(kWidth * sizeof(float)), aligned(alignof(float)), may_alias));
typedef int32_t Integers __attribute__((vector_size(kWidth * sizeof(int32_t)), aligned(alignof(int32_t)), may_alias));

// x = exp(x), within 2 units in the last place; arguments are clamped to where the result is a normal number. Cody and
// Waite's reduction to |r| <= ln(2)/2 and the polynomial of Cephes' expf (Moshier, netlib).
constexpr float kLowest = -86.0f;
HYDROPHONE_INLINE void Exp(Vector& x) {
  constexpr float kHighest = 88.0f;
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  constexpr int32_t kRounderBits = 0x4b400000;
  x = x > kHighest ? Vector{} + kHighest : x;
  x = x < kLowest ? Vector{} + kLowest : x;  // NaN stays NaN
  const Vector shifted = x * 1.44269504088896341f + kRounder;
  const Vector n = shifted - kRounder;
  const Vector r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  Vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + r + 1.0f;
  const Integers exponent = reinterpret_cast<const Integers&>(shifted) - kRounderBits;
  const Integers bits = reinterpret_cast<const Integers&>(p) + (exponent << 23);
  x = reinterpret_cast<const Vector&>(bits);
}

// The same, but 0 where the result is not a normal number: of -inf above all, which is a key that was knocked out.
HYDROPHONE_INLINE void ExpOrZero(Vector& x) {
  const Vector before = x;
  Exp(x);
  x = before < kLowest ? Vector{} : x;
}

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

void Gelu(float* values, int64_t count) {
  constexpr float kRootHalf = 0.70710678118654752f;
  for (int64_t i = 0; i < count; ++i) values[i] = values[i] * 0.5f * (1.0f + std::erf(values[i] * kRootHalf));
}

void Tanh(float* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) values[i] = std::tanh(values[i]);
}

// The functions that few checkpoints name: plain loops, in which NaN stays NaN.
template <typename Function>
void ForEach(float* values, int64_t count, Function function) {
  for (int64_t i = 0; i < count; ++i) values[i] = function(values[i]);
}

float Clamped(float x, float least, float most) {
  const float raised = x < least ? least : x;
  return raised > most ? most : raised;
}

float Softplus(float x) { return x > 20.0f ? x : std::log1p(std::exp(x)); }

float LaplaceOf(float x) {
  constexpr float kMean = 0.707107f, kScale = 0.282095f * 1.41421356f;
  return 0.5f * (1.0f + std::erf((x - kMean) / kScale));
}

// Multiplies the scores with `scale` and returns the largest of them.
HYDROPHONE_INLINE float Scale(float* scores, int64_t count, float scale) {
  Vector highest = Vector{} - std::numeric_limits<float>::infinity();
  int64_t j = 0;
  for (; j + kWidth <= count; j += kWidth) {
    Vector& some = *reinterpret_cast<Vector*>(scores + j);
    some = some * scale;
    highest = some > highest ? some : highest;
  }
  float most = -std::numeric_limits<float>::infinity();
  for (; j < count; ++j) {
    scores[j] *= scale;
    most = scores[j] > most ? scores[j] : most;
  }
  for (int64_t lane = 0; lane < kWidth; ++lane) most = highest[lane] > most ? highest[lane] : most;
  return most;
}

// Lanes of the sum: element j is added to lane j mod kLanes, whatever vectors the machine has.
constexpr int64_t kLanes = 2 * kWidth;

// Replaces each score by exp(score - highest) and returns their sum.
HYDROPHONE_INLINE float Exponentials(float* scores, int64_t count, float highest) {
  Vector lanes[2] = {};
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    for (int64_t half = 0; half < 2; ++half) {
      Vector& some = *reinterpret_cast<Vector*>(scores + j + half * kWidth);
      some = some - highest;
      ExpOrZero(some);
      lanes[half] += some;
    }
  }
  std::array<float, kLanes> sum;
  for (size_t lane = 0; lane < kLanes; ++lane) sum[lane] = lanes[lane / kWidth][lane % kWidth];
  Vector rest[2] = {};
  float* const elements = reinterpret_cast<float*>(rest);
  std::copy(scores + j, scores + count, elements);
  for (Vector& some : rest) {
    some = some - highest;
    ExpOrZero(some);
  }
  for (size_t lane = 0; j < count; ++lane, ++j) {
    scores[j] = elements[lane];
    sum[lane] += elements[lane];
  }
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t lane = 0; lane < half; ++lane) sum[lane] += sum[lane + half];
  }
  return sum[0];
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
      Gelu(values, count);
      return ForEach(values, count, [](float x) { return Clamped(x, -10.0f, 10.0f); });
    case Activation::kHardswish:
      return ForEach(values, count, [](float x) { return x * (Clamped(x + 3.0f, 0.0f, 6.0f) / 6.0f); });
    case Activation::kLaplace:
      return ForEach(values, count, LaplaceOf);
    case Activation::kLeakyRelu:
      return ForEach(values, count, [](float x) { return x < 0.0f ? 0.01f * x : x; });
    case Activation::kLinear:
      return;
    case Activation::kMish:
      return ForEach(values, count, [](float x) { return x * std::tanh(Softplus(x)); });
    case Activation::kRelu2:
      Relu(values, count);
      return ForEach(values, count, [](float x) { return x * x; });
    case Activation::kRelu6:
      return ForEach(values, count, [](float x) { return Clamped(x, 0.0f, 6.0f); });
    case Activation::kSigmoid:
      return ForEach(values, count, [](float x) { return 1.0f / (1.0f + std::exp(-x)); });
    case Activation::kSqrtSoftplus:
      return ForEach(values, count, [](float x) { return std::sqrt(Softplus(x)); });
  }
}

HYDROPHONE_VECTOR_CLONES void SoftmaxRow(float* scores, int64_t count, float scale) {
  const float highest = Scale(scores, count, scale);
  const float sum = Exponentials(scores, count, highest);
  for (int64_t j = 0; j < count; ++j) scores[j] /= sum;
}

}  // namespace hydrophone
