#include "server/core/portable_math.h"

#include <bit>
#include <cstdint>
#include <limits>

namespace hydrophone {
namespace {

// log 2 in two parts: the first has so few digits that its products with exponents are exact.
constexpr double kLog2High = 6.93145751953125e-1, kLog2Low = 1.42860682030941723212e-6;
constexpr int kMantissaBits = 52, kExponentBias = 1023;

// 2^n, for n of normal numbers.
double PowerOf2(int64_t n) { return std::bit_cast<double>((n + kExponentBias) << kMantissaBits); }

}  // namespace

// Cody and Waite's reduction to |r| <= log(2)/2, and Cephes' rational function (Moshier, netlib).
double PortableExp(double x) {
  if (x != x) return x;
  if (x > 709.782712893384) return std::numeric_limits<double>::infinity();
  if (x < -708.39641853226408) return 0;
  constexpr double kRounder = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
  const double n = (x * 1.4426950408889634073599 + kRounder) - kRounder;
  const double r = (x - n * kLog2High) - n * kLog2Low, z = r * r;
  const double p = r * ((1.26177193074810590878e-4 * z + 3.02994407707441961300e-2) * z + 9.99999999999999999910e-1);
  double q = 3.00198505138664455042e-6 * z + 2.52448340349684104192e-3;
  q = (q * z + 2.27265548208155028766e-1) * z + 2.00000000000000000005;
  // In two steps: 2^1024 alone is none of float64's.
  const auto exponent = static_cast<int64_t>(n), half = exponent / 2;
  return (1.0 + 2.0 * (p / (q - p))) * PowerOf2(half) * PowerOf2(exponent - half);
}

// log(2^n m) = n log 2 + 2 artanh((m - 1) / (m + 1)), for m from sqrt(1/2) to sqrt(2), by artanh's series.
double PortableLog(double x) {
  if (x != x || x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (x < std::numeric_limits<double>::min()) return -std::numeric_limits<double>::infinity();
  if (x > std::numeric_limits<double>::max()) return x;
  constexpr int64_t kSqrtHalfBits = 0x3fe6a09e667f3bcd;
  const int64_t bits = std::bit_cast<int64_t>(x) - kSqrtHalfBits;
  const double n = static_cast<double>(bits >> kMantissaBits);
  const double m = std::bit_cast<double>((bits & ((int64_t{1} << kMantissaBits) - 1)) + kSqrtHalfBits);
  const double s = (m - 1.0) / (m + 1.0), z = s * s;
  double series = 0;
  for (int k = 21; k >= 3; k -= 2) series = (series + 1.0 / k) * z;
  return n * kLog2High + (n * kLog2Low + (2.0 * s + 2.0 * s * series));
}

}  // namespace hydrophone
