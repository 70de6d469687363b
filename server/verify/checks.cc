#include "server/verify/checks.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/verify/bits.h"

namespace hydrophone {
namespace {

constexpr size_t kNamedParameters = 5;
constexpr size_t kIncrement = 2;  // the third of a layer's correlations

// How far below 1 the rounding of float64 alone may put an r of 1.
constexpr double kFloat64Slack = 1e-12;

// "a, b, c and 7 more"
std::string SomeOf(const std::vector<std::string>& names) {
  const size_t shown = std::min(names.size(), kNamedParameters);
  std::string list = absl::StrJoin(absl::MakeConstSpan(names).first(shown), ", ");
  if (shown < names.size()) absl::StrAppend(&list, " and ", names.size() - shown, " more");
  return list;
}

// More than this share of equal elements means that there was no dropout.
constexpr double kMostUndropped = 0.5;

}  // namespace

Check MakeCheck(std::string name, std::string measure, double value, double tolerance, std::string detail) {
  return {std::move(name), value <= tolerance, std::move(measure), value, tolerance, std::move(detail)};
}

Check MakeExactCheck(std::string name, double value, size_t different_elements, std::string detail) {
  Check check = MakeCheck(std::move(name), "largest difference", value, 0, std::move(detail));
  check.passed = check.passed && different_elements == 0;
  absl::StrAppend(&check.detail, "; elements with other bits: ", different_elements);
  return check;
}

Check InferenceModeCheck(const ComputeInfo& compute) {
  return MakeCheck("A2.inference_mode", "passes that could record a gradient", compute.inference_mode ? 0 : 1, 0,
                   "1 unless the forward pass found itself in libtorch's inference mode, where no "
                   "operation records a gradient "
                   "graph; what crosses the wire are bytes, which carry none");
}

Check ReconstructionCheck(absl::Span<const LayerReport> layers) {
  double largest = 0;
  size_t different = 0;
  for (const LayerReport& layer : layers) {
    largest = LargerOrNan(largest, layer.max_abs);
    different += layer.different_elements;
  }
  return MakeExactCheck(
      "A3.reconstruction", largest, different,
      absl::StrCat("largest |H[L+1] - ((H[L] + attention delta) + MLP delta)| in float32 over ", layers.size(),
                   " layers, states and deltas captured in separate passes; none, since these are "
                   "the forward "
                   "pass's own two additions"));
}

Check IncrementCheck(absl::Span<const LayerReport> layers, absl::Span<const double> bounds) {
  double value = 0, tolerance = kFloat64Slack;
  std::string where = "no layer";
  size_t left_out = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (bounds[i] >= 1) {
      ++left_out;
      continue;
    }
    const double miss = 1 - layers[i].correlations[kIncrement].r;
    const double allowed = bounds[i] + kFloat64Slack;
    if (std::isnan(value) || miss / allowed < value / tolerance) continue;
    value = miss, tolerance = allowed;
    where = absl::StrCat("layer ", layers[i].layer, ", the nearest to its bound");
  }
  return MakeCheck("A4.increment", "1 - r", value, tolerance,
                   absl::StrCat("1 - r of H[L+1]-H[L] against attention + MLP delta, at ", where,
                                "; the bound is what rounding H[L+1] twice to float32 explains; "
                                "layers left out, since rounding "
                                "explains any r there: ",
                                left_out));
}

Check DropoutCheck(size_t equal, size_t total) {
  const double share = total == 0 ? 0 : static_cast<double>(equal) / static_cast<double>(total);
  return MakeCheck("A6.dropout", "share of equal elements", share, kMostUndropped,
                   "share of elements in which H[L+1] equals (H[L] + attention delta) + MLP delta with "
                   "the deltas before the dropouts, at c_proj; a dropout zeroes or enlarges every "
                   "element, so most are equal only when it was left out or the "
                   "checkpoint's resid_pdrop is 0. A3 and A4 are of the deltas after the dropouts");
}

Check WeightsCheck(const WeightsAudit& audit, const ModelInfo& model) {
  const bool same_digest = audit.file_sha256 == model.weights_sha256;
  std::string detail = same_digest
                           ? absl::StrCat("the weight files, read again, still have SHA-256 ", audit.file_sha256)
                           : absl::StrCat("the weight files, read again, have SHA-256 ", audit.file_sha256,
                                          ", when loaded ", model.weights_sha256);
  if (audit.differing_parameters.empty()) {
    absl::StrAppend(&detail, "; every parameter in memory equals its file's to the bit");
  } else {
    absl::StrAppend(&detail, "; parameters in memory that differ: ", SomeOf(audit.differing_parameters));
  }
  const size_t differences = audit.differing_parameters.size() + (same_digest ? 0 : 1);
  return MakeCheck("weights.digest", "parameters that differ", static_cast<double>(differences), 0, std::move(detail));
}

}  // namespace hydrophone
