#include "server/answer/difference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace hydrophone {
namespace {

// Sums over places: of a, b, their squares and their product.
struct PairSums {
  double a = 0;
  double b = 0;
  double aa = 0;
  double bb = 0;
  double ab = 0;

  void Add(double x, double y) {
    a += x;
    b += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  // `ab` as a share of the most that it can be; NaN when one side is all zeros.
  double Similarity() const { return std::clamp(ab / (std::sqrt(aa) * std::sqrt(bb)), -1.0, 1.0); }
};

// Calls f(run, baseline) at each place where both are finite.
template <typename Function>
void ForEachFinite(absl::Span<const float> run, absl::Span<const float> baseline, Function f) {
  for (size_t i = 0; i < run.size(); ++i) {
    if (std::isfinite(run[i]) && std::isfinite(baseline[i])) f(double{run[i]}, double{baseline[i]});
  }
}

}  // namespace

Difference DifferenceOf(absl::Span<const float> run, absl::Span<const float> baseline) {
  Difference difference;
  PairSums sums;
  double squares = 0;
  ForEachFinite(run, baseline, [&](double x, double y) {
    ++difference.count;
    sums.Add(x, y);
    squares += (x - y) * (x - y);
    difference.difference_max = std::max(difference.difference_max, std::abs(x - y));
  });
  difference.nonfinite = run.size() - difference.count;
  difference.difference_l2 = std::sqrt(squares);
  difference.run_l2 = std::sqrt(sums.aa);
  difference.baseline_l2 = std::sqrt(sums.bb);
  difference.cosine = sums.Similarity();

  // A second pass: sums of deviations keep the digits that differences of sums lose.
  const auto count = static_cast<double>(difference.count);
  const double run_mean = sums.a / count;
  const double baseline_mean = sums.b / count;
  PairSums deviations;
  ForEachFinite(run, baseline, [&](double x, double y) { deviations.Add(x - run_mean, y - baseline_mean); });
  difference.pearson_r = deviations.Similarity();
  return difference;
}

}  // namespace hydrophone
