#include <algorithm>
#include <array>
#include <limits>

#include "server/core/vector_clones.h"
#include "server/model/kernels/cpu/elementwise.h"
#include "server/model/kernels/cpu/vector_functions.h"

namespace hydrophone {
namespace {

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
  return SumOfLanes(sum);
}

}  // namespace

HYDROPHONE_VECTOR_CLONES void SoftmaxRow(float* scores, int64_t count, float scale) {
  const float highest = Scale(scores, count, scale);
  const float sum = Exponentials(scores, count, highest);
  for (int64_t j = 0; j < count; ++j) scores[j] /= sum;
}

}  // namespace hydrophone
