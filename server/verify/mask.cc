#include "server/verify/mask.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hydrophone {
namespace {

constexpr size_t kMostHidden = 8;

// The largest magnitude that passes in this array.
double Threshold(absl::Span<const float> values, const MaskRule& rule) {
  return rule.kind == MaskRule::Kind::kMaxAbs ? rule.value : QuantileOfMagnitudes(values, rule.value);
}

// The indices that hide something, the most hidden first, among equals the lower index first.
std::vector<HiddenCount> MostHidden(const std::vector<uint64_t>& hidden) {
  std::vector<HiddenCount> counts;
  for (size_t i = 0; i < hidden.size(); ++i) {
    if (hidden[i] != 0) counts.push_back({static_cast<uint32_t>(i), hidden[i]});
  }
  std::stable_sort(counts.begin(), counts.end(),
                   [](const HiddenCount& a, const HiddenCount& b) { return a.hidden > b.hidden; });
  counts.resize(std::min(counts.size(), kMostHidden));
  return counts;
}

}  // namespace

double QuantileOfMagnitudes(absl::Span<const float> values, double quantile) {
  std::vector<double> magnitudes;
  magnitudes.reserve(values.size());
  for (float value : values) {
    if (std::isfinite(value)) magnitudes.push_back(std::abs(static_cast<double>(value)));
  }
  if (magnitudes.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double place = static_cast<double>(magnitudes.size() - 1) * quantile;
  const size_t below = static_cast<size_t>(place);
  const double fraction = place - static_cast<double>(below);
  const auto at = magnitudes.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(magnitudes.begin(), at, magnitudes.end());
  if (fraction == 0) return *at;
  const double above = *std::min_element(at + 1, magnitudes.end());
  // NumPy's interpolation, which starts from the nearer end.
  return fraction < 0.5 ? *at + (above - *at) * fraction : above - (above - *at) * (1 - fraction);
}

std::vector<uint8_t> JointMask(absl::Span<const absl::Span<const float>> arrays, const MaskRule& rule) {
  std::vector<uint8_t> mask(arrays.empty() ? 0 : arrays[0].size(), 1);
  for (absl::Span<const float> values : arrays) {
    const double threshold = Threshold(values, rule);
    for (size_t i = 0; i < mask.size(); ++i) {
      const bool passes = std::abs(static_cast<double>(values[i])) <= threshold;  // false for NaN
      mask[i] = mask[i] != 0 && passes;
    }
  }
  return mask;
}

MaskReport CountHidden(absl::Span<const uint8_t> mask, size_t width, absl::Span<const size_t> lengths) {
  const size_t longest = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  std::vector<uint64_t> positions(longest);
  std::vector<uint64_t> dimensions(width);
  MaskReport report;
  report.total = mask.size();
  const uint8_t* element = mask.data();
  for (size_t length : lengths) {
    for (size_t position = 0; position < length; ++position) {
      for (size_t dimension = 0; dimension < width; ++dimension, ++element) {
        if (*element != 0) continue;
        ++report.hidden;
        ++positions[position];
        ++dimensions[dimension];
      }
    }
  }
  report.positions = MostHidden(positions);
  report.dimensions = MostHidden(dimensions);
  return report;
}

}  // namespace hydrophone
