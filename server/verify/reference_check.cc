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

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kRounding = 5e-5;

// A difference relative to the row's size; a row of zeros allows none.
double Relative(double difference, double largest_reference) {
  if (difference == 0) return 0;
  return largest_reference == 0 ? kInfinity : difference / largest_reference;
}

double Exactly(double got, double expected) { return got == expected ? 0 : kInfinity; }

// Where a position's elements are: one row, or of squares the query's row in every head.
class Layout {
 public:
  Layout(HookPoint point, size_t tokens, size_t elements)
      : square_(HookPointOf(point).square()),
        tokens_(tokens),
        heads_(square_ ? elements / (tokens * tokens) : 1),
        width_(square_ ? tokens : elements / tokens) {}

  // Calls visit(head, dimension, index, whether it is a key later than the query).
  template <typename Visit>
  void ForEach(size_t position, Visit visit) const {
    for (size_t head = 0; head < heads_; ++head) {
      const size_t first = (head * tokens_ + position) * width_;
      for (size_t i = 0; i < width_; ++i) visit(head, i, first + i, square_ && i > position);
    }
  }

 private:
  bool square_;
  size_t tokens_, heads_, width_;
};

std::string Place(HookPoint point, size_t head, size_t dimension) {
  if (HookPointOf(point).square()) return absl::StrCat("head ", head, ", key ", dimension);
  return absl::StrCat("dimension ", dimension);
}

}  // namespace

Allowance AllowanceAt(Site site) {
  switch (site) {
    case Site::kEmbed:
    case Site::kPosEmbed:
      return {0, "a parameter is given as it is"};
    case Site::kReconstructionResidual:
    case Site::kLnFinalResidual:
      return {0, "both sides are the same operations on the same values"};
    default:
      return {
          kRounding,
          "float32 costs up to 1.8e-6 on the default model, 3.1e-6 on random weights of 124M, 2.5e-5 where scores are "
          "large; a wrong formula more than 1e-4 somewhere"};
  }
}

Allowance ReferenceComparison::AllowanceOf(const Worst& worst) const {
  Allowance allowance = AllowanceAt(worst.point.site);
  const Site site = worst.point.site;
  if (site != Site::kSoftmax && site != Site::kPattern && site != Site::kZ && site != Site::kResult) return allowance;
  for (const Worst& scores : points_) {
    if (scores.point != HookPoint{Site::kAttnScores, worst.point.layer}) continue;
    if (!(scores.relative <= kRounding)) return allowance;
    allowance.tolerance += 2 * scores.absolute;
    allowance.reason =
        "5e-5 as at other points, and twice the largest difference of the layer's scores, by which a softmax changes a "
        "probability's relative error";
  }
  return allowance;
}

void ReferenceComparison::Add(HookPoint point, size_t input, size_t tokens, absl::Span<const double> reference,
                              absl::Span<const float> captured) {
  Worst& worst = Of(point);
  const Layout layout(point, tokens, reference.size());
  for (size_t position = 0; position < tokens; ++position) {
    double largest = 0;
    layout.ForEach(position, [&](size_t, size_t, size_t at, bool later) {
      if (!later) largest = std::max(largest, std::abs(reference[at]));
    });
    layout.ForEach(position, [&](size_t head, size_t dimension, size_t at, bool later) {
      const double got = captured[at];
      const double relative = later ? Exactly(got, reference[at]) : Relative(std::abs(got - reference[at]), largest);
      if (!later) worst.absolute = std::max(worst.absolute, std::abs(got - reference[at]));
      if (std::isnan(worst.relative) || relative <= worst.relative) return;
      worst.relative = relative;
      worst.input = input, worst.position = position, worst.head = head, worst.dimension = dimension;
      worst.got = got, worst.expected = reference[at];
    });
  }
  worst.tokens += tokens;
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
    const Allowance allowance = AllowanceOf(worst);
    std::string detail = absl::StrCat(
        "largest difference to a float64 forward written apart from the fast path, relative to the "
        "position's largest value there, over ",
        worst.tokens, " tokens; ", allowance.reason);
    if (worst.relative != 0) {
      absl::StrAppendFormat(&detail, "; worst at input %d, position %d, %s: got %.9g, reference %.9g", worst.input,
                            worst.position, Place(worst.point, worst.head, worst.dimension), worst.got, worst.expected);
    }
    checks.push_back(MakeCheck(absl::StrCat("reference.", CanonicalName(worst.point)), "largest relative difference",
                               worst.relative, allowance.tolerance, std::move(detail)));
  }
  return checks;
}

}  // namespace hydrophone
