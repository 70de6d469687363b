#include "server/verify/pearson.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace hydrophone {
namespace {

// Sums `term(i)` over the elements that count.
template <typename Term>
double SumWhere(absl::Span<const uint8_t> mask, size_t size, Term term) {
  double sum = 0;
  for (size_t i = 0; i < size; ++i) {
    if (mask.empty() || mask[i] != 0) sum += term(i);
  }
  return sum;
}

// Compares the values themselves: the rounded mean of equal values may differ from them, and then the moments are not
// 0.
bool IsConstant(absl::Span<const double> values, absl::Span<const uint8_t> mask) {
  const double* first = nullptr;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!mask.empty() && mask[i] == 0) continue;
    if (first == nullptr) first = &values[i];
    if (values[i] != *first) return false;
  }
  return true;
}

}  // namespace

double Pearson(absl::Span<const double> x, absl::Span<const double> y, absl::Span<const uint8_t> mask) {
  if (IsConstant(x, mask) || IsConstant(y, mask)) return std::numeric_limits<double>::quiet_NaN();
  const double count = SumWhere(mask, x.size(), [](size_t) { return 1.0; });
  const double mean_x = SumWhere(mask, x.size(), [&](size_t i) { return x[i]; }) / count;
  const double mean_y = SumWhere(mask, y.size(), [&](size_t i) { return y[i]; }) / count;
  const double xx = SumWhere(mask, x.size(), [&](size_t i) { return (x[i] - mean_x) * (x[i] - mean_x); });
  const double yy = SumWhere(mask, x.size(), [&](size_t i) { return (y[i] - mean_y) * (y[i] - mean_y); });
  const double xy = SumWhere(mask, x.size(), [&](size_t i) { return (x[i] - mean_x) * (y[i] - mean_y); });
  const double r = xy / (std::sqrt(xx) * std::sqrt(yy));
  return std::isnan(r) ? r : std::clamp(r, -1.0, 1.0);
}

}  // namespace hydrophone
