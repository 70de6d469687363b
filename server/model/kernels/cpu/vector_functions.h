// exp, tanh, erf and log1p of sixteen floats at a time, by additions, multiplications, divisions and integer shifts
// alone, so that their bits are the same on every CPU and with every C library.
//
// They must not be contracted: a product and a sum stay two roundings (HydrophoneTargets.cmake).
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_CPU_VECTOR_FUNCTIONS_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_CPU_VECTOR_FUNCTIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/core/vector_clones.h"

namespace hydrophone {

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

// Lanes of a sum: element j is added to lane j mod kLanes, whatever vectors the machine has.
constexpr int64_t kLanes = 2 * kWidth;

// The sum of the lanes, halved again and again; they hold what is left.
template <typename Number>
HYDROPHONE_INLINE Number SumOfLanes(std::array<Number, kLanes>& lanes) {
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

// Replaces x by tanh(x), within 2 units in the last place: an odd polynomial near 0 (Cephes' tanhf), elsewhere
// 1 - 2 / (exp(2 |x|) + 1).
HYDROPHONE_INLINE void Tanh(Vector& x) {
  const Vector magnitude = x < 0.0f ? -x : x;
  const Vector z = x * x;
  Vector p = z * -5.70498872745e-3f + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const Vector near = (p * z) * x + x;
  Vector e = 2.0f * magnitude;
  Exp(e);
  const Vector far = 1.0f - 2.0f / (e + 1.0f);
  x = magnitude < 0.625f ? near : (x < 0.0f ? -far : far);
}

// x = 1 - erfc(x) for x >= 1: Cephes' erfcf, exp(-x x) / x times a polynomial of 1 / (x x).
HYDROPHONE_INLINE void ErfFrom1(Vector& x) {
  Vector e = -(x * x);
  ExpOrZero(e);
  const Vector q = 1.0f / x, y = q * q;
  Vector below2 = y * 2.326819970068386e-2f - 1.387039388740657e-1f;
  below2 = below2 * y + 3.687424674597105e-1f;
  below2 = below2 * y - 5.824733027278666e-1f;
  below2 = below2 * y + 6.210004621745983e-1f;
  below2 = below2 * y - 4.944515323274145e-1f;
  below2 = below2 * y + 3.404879937665872e-1f;
  below2 = below2 * y - 2.741127028184656e-1f;
  below2 = below2 * y + 5.638259427386472e-1f;
  Vector from2 = y * -1.047766399936249e1f + 1.297719955372516e1f;
  from2 = from2 * y - 7.495518717768503f;
  from2 = from2 * y + 2.921019019210786f;
  from2 = from2 * y - 1.015265279202700f;
  from2 = from2 * y + 4.218463358204948e-1f;
  from2 = from2 * y - 2.820767439740514e-1f;
  from2 = from2 * y + 5.641895067754075e-1f;
  x = 1.0f - e * q * (x < 2.0f ? below2 : from2);
}

// Replaces x by erf(x), within 2 units in the last place: an odd polynomial below 1 (Cephes' erff).
HYDROPHONE_INLINE void Erf(Vector& x) {
  const Vector z = x * x;
  Vector p = z * 7.853861353153693e-5f - 8.010193625184903e-4f;
  p = p * z + 5.188327685732524e-3f;
  p = p * z - 2.685381193529856e-2f;
  p = p * z + 1.128358514861418e-1f;
  p = p * z - 3.761262582423300e-1f;
  p = p * z + 1.128379165726710f;
  const Vector near = p * x;
  const Vector magnitude = x < 0.0f ? -x : x;
  Vector far = magnitude > 1.0f ? magnitude : Vector{} + 1.0f;
  ErfFrom1(far);
  // A NaN takes this way too, as it is above nothing.
  x = magnitude > 1.0f ? (x < 0.0f ? -far : far) : near;
}

// Replaces x >= 0 by log(1 + x), within 3 units in the last place. With u = 1 + x as rounded, log(u) x / (u - 1) makes
// good for the rounding (Goldberg, "What every computer scientist should know about floating-point arithmetic", 1991,
// theorem 4). log(2^n m) = n log 2 + 2 artanh((m - 1) / (m + 1)), for m from sqrt(1/2) to sqrt(2), by artanh's series.
HYDROPHONE_INLINE void Log1p(Vector& x) {
  constexpr int32_t kSqrtHalfBits = 0x3f3504f3;
  const Vector u = 1.0f + x;
  const Integers bits = reinterpret_cast<const Integers&>(u) - kSqrtHalfBits;
  const Integers exponent = bits >> 23;
  const Integers mantissa = (bits & 0x7fffff) + kSqrtHalfBits;
  const Vector m = reinterpret_cast<const Vector&>(mantissa);
  const Vector n = __builtin_convertvector(exponent, Vector);
  const Vector s = (m - 1.0f) / (m + 1.0f), z = s * s;
  Vector p = z * (1.0f / 9.0f) + 1.0f / 7.0f;
  p = p * z + 1.0f / 5.0f;
  p = p * z + 1.0f / 3.0f;
  const Vector log_m = 2.0f * s + 2.0f * s * (p * z);
  const Vector log_u = n * 0.693359375f + (n * -2.12194440e-4f + log_m);
  x = u > 1.0f ? log_u * (x / (u - 1.0f)) : x;
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_CPU_VECTOR_FUNCTIONS_H_
