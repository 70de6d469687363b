#include "server/verify/reference_check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/verify/checks.h"

namespace hydrophone {
namespace {

// A difference relative to the row's size; a row of zeros allows none.
double Relative(double difference, double largest_reference) {
  if (difference == 0) return 0;
  return largest_reference == 0 ? std::numeric_limits<double>::infinity() : difference / largest_reference;
}

}  // namespace

void ReferenceComparison::Add(HookPoint point, size_t input, absl::Span<const double> reference,
                              absl::Span<const float> captured) {
  Worst& worst = Of(point);
  const size_t rows = reference.size() / width_;
  for (size_t row = 0; row < rows; ++row) {
    CompareRow(worst, input, row, reference.subspan(row * width_, width_), captured.subspan(row * width_, width_));
  }
  worst.tokens += rows;
}

void ReferenceComparison::CompareRow(Worst& worst, size_t input, size_t position, absl::Span<const double> reference,
                                     absl::Span<const float> captured) const {
  double largest = 0;
  for (double value : reference) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < width_; ++i) {
    const double got = captured[i];
    const double relative = Relative(std::abs(got - reference[i]), largest);
    if (std::isnan(worst.relative) || relative <= worst.relative) continue;
    worst.relative = relative;
    worst.input = input, worst.position = position, worst.dimension = i;
    worst.got = got, worst.expected = reference[i];
  }
}

ReferenceComparison::Worst& ReferenceComparison::Of(HookPoint point) {
  auto found = std::find_if(points_.begin(), points_.end(), [&](const Worst& worst) { return worst.point == point; });
  if (found != points_.end()) return *found;
  points_.emplace_back();
  points_.back().point = point;
  return points_.back();
}

std::vector<Check> ReferenceComparison::Checks() const {
  std::vector<Check> checks;
  for (const Worst& worst : points_) {
    std::string detail = absl::StrFormat(
        "largest difference to a float64 forward written apart from the fast path, relative to the "
        "position's largest value there, "
        "over %d tokens; float32 costs up to 1.3e-6 on random checkpoints, a wrong formula more "
        "than 1e-4 somewhere",
        worst.tokens);
    if (worst.relative != 0) {
      absl::StrAppendFormat(&detail, "; worst at input %d, position %d, dimension %d: got %.9g, reference %.9g",
                            worst.input, worst.position, worst.dimension, worst.got, worst.expected);
    }
    checks.push_back(MakeCheck(absl::StrCat("reference.", CanonicalName(worst.point)), "largest relative difference",
                               worst.relative, kTolerance, std::move(detail)));
  }
  return checks;
}

}  // namespace hydrophone
