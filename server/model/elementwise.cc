#include "server/model/elementwise.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "server/core/vector_clones.h"

namespace hydrophone {
namespace {

#define HYDROPHONE_INLINE inline __attribute__((always_inline))

// exp(x), within 2 units in the last place; arguments are clamped to where the result is a normal number. Cody and Waite's reduction
// to |r| <= ln(2)/2 and the polynomial of Cephes' expf (Moshier, netlib).
HYDROPHONE_INLINE float Exp(float x) {
  constexpr float kHighest = 88.0f, kLowest = -86.0f;
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  x = x > kHighest ? kHighest : x;
  x = x < kLowest ? kLowest : x;  // NaN stays NaN
  const float shifted = x * 1.44269504088896341f + kRounder;
  const float n = shifted - kRounder;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + r + 1.0f;
  const uint32_t exponent = std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(kRounder);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(p) + (exponent << 23));
}

// x sigmoid(z)
HYDROPHONE_INLINE float Gated(float x, float z) { return x / (1.0f + Exp(-z)); }

// 0.5 (1 + tanh(u)) is sigmoid(2 u).
HYDROPHONE_VECTOR_CLONES void GeluNew(float* values, int64_t count) {
  constexpr float kTwiceRoot2OverPi = 1.5957691216057308f;
  for (int64_t i = 0; i < count; ++i) {
    const float x = values[i];
    values[i] = Gated(x, kTwiceRoot2OverPi * (x + 0.044715f * (x * x * x)));
  }
}

HYDROPHONE_VECTOR_CLONES void QuickGelu(float* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) values[i] = Gated(values[i], 1.702f * values[i]);
}

HYDROPHONE_VECTOR_CLONES void Silu(float* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) values[i] = Gated(values[i], values[i]);
}

HYDROPHONE_VECTOR_CLONES void Relu(float* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) values[i] = values[i] < 0.0f ? 0.0f : values[i];
}

void Gelu(float* values, int64_t count) {
  constexpr float kRootHalf = 0.70710678118654752f;
  for (int64_t i = 0; i < count; ++i) values[i] = values[i] * 0.5f * (1.0f + std::erf(values[i] * kRootHalf));
}

void Tanh(float* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) values[i] = std::tanh(values[i]);
}

// Lanes of the sum: element j goes to lane j mod kLanes, whatever the machine's vectors are.
constexpr int64_t kLanes = 16;

HYDROPHONE_INLINE float SumOf(const std::array<float, kLanes>& lanes) {
  std::array<float, kLanes> sum = lanes;
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t lane = 0; lane < half; ++lane) sum[lane] += sum[lane + half];
  }
  return sum[0];
}

}  // namespace

void ApplyActivation(Gpt2Config::Activation activation, float* values, int64_t count) {
  switch (activation) {
    case Gpt2Config::Activation::kGeluNew: return GeluNew(values, count);
    case Gpt2Config::Activation::kGelu: return Gelu(values, count);
    case Gpt2Config::Activation::kQuickGelu: return QuickGelu(values, count);
    case Gpt2Config::Activation::kRelu: return Relu(values, count);
    case Gpt2Config::Activation::kSilu: return Silu(values, count);
    case Gpt2Config::Activation::kTanh: return Tanh(values, count);
  }
}

HYDROPHONE_VECTOR_CLONES void SoftmaxRow(float* scores, int64_t count, float scale) {
  float highest = scores[0] * scale;
  for (int64_t j = 0; j < count; ++j) {
    scores[j] *= scale;
    highest = scores[j] > highest ? scores[j] : highest;
  }
  std::array<float, kLanes> lanes{};
  int64_t first = 0;
  for (; first + kLanes <= count; first += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      scores[first + lane] = Exp(scores[first + lane] - highest);
      lanes[static_cast<size_t>(lane)] += scores[first + lane];
    }
  }
  for (int64_t j = first; j < count; ++j) {
    scores[j] = Exp(scores[j] - highest);
    lanes[static_cast<size_t>(j - first)] += scores[j];
  }
  const float sum = SumOf(lanes);
  for (int64_t j = 0; j < count; ++j) scores[j] /= sum;
}

}  // namespace hydrophone
