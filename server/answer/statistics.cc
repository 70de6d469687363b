#include "server/answer/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>

namespace hydrophone {

Moments MomentsOf(absl::Span<const float> values) {
  Moments moments;
  double sum = 0;
  double squares = 0;
  moments.min = std::numeric_limits<double>::infinity();
  moments.max = -std::numeric_limits<double>::infinity();
  for (float single : values) {
    double value = single;
    if (!std::isfinite(value)) continue;
    ++moments.count;
    sum += value;
    squares += value * value;
    moments.min = std::min(moments.min, value);
    moments.max = std::max(moments.max, value);
  }
  moments.nonfinite = values.size() - moments.count;
  if (moments.count == 0) {
    moments.mean = moments.std = moments.min = moments.max = moments.l2 = std::numeric_limits<double>::quiet_NaN();
    return moments;
  }
  auto count = static_cast<double>(moments.count);
  moments.mean = sum / count;
  moments.l2 = std::sqrt(squares);
  double deviations = 0;
  for (float single : values) {
    double deviation = static_cast<double>(single) - moments.mean;
    if (std::isfinite(deviation)) deviations += deviation * deviation;
  }
  moments.std = std::sqrt(deviations / count);
  return moments;
}

double ShareAbove(absl::Span<const float> values, float threshold) {
  uint64_t finite = 0;
  uint64_t above = 0;
  for (float value : values) {
    if (!std::isfinite(value)) continue;
    ++finite;
    if (std::abs(value) > threshold) ++above;
  }
  return static_cast<double>(above) / static_cast<double>(finite);
}

std::vector<double> QuantilesOf(absl::Span<const float> values, absl::Span<const float> quantiles) {
  std::vector<float> sorted;
  sorted.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(sorted),
               [](float value) { return std::isfinite(value); });
  if (sorted.empty()) return std::vector<double>(quantiles.size(), std::numeric_limits<double>::quiet_NaN());
  std::sort(sorted.begin(), sorted.end());

  std::vector<double> result;
  const size_t last = sorted.size() - 1;
  for (float quantile : quantiles) {
    const double place = static_cast<double>(quantile) * static_cast<double>(last);
    const auto below = static_cast<size_t>(place);
    const double weight = place - static_cast<double>(below);
    const double low = sorted[below];
    const double high = sorted[std::min(below + 1, last)];
    const double gap = high - low;
    // From the nearer end, as NumPy does, so that the result does not fall short of `high`.
    result.push_back(weight < 0.5 ? low + gap * weight : high - gap * (1 - weight));
  }
  return result;
}

std::vector<size_t> LargestMagnitudes(absl::Span<const float> values, size_t count) {
  const auto comes_before = [&](size_t a, size_t b) {
    const float left = std::abs(values[a]);
    const float right = std::abs(values[b]);
    return left > right || (left == right && a < b);
  };
  // A heap of the best so far, the worst of them on top.
  std::vector<size_t> best;
  for (size_t i = 0; count > 0 && i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    if (best.size() == count) {
      if (!comes_before(i, best.front())) continue;
      std::pop_heap(best.begin(), best.end(), comes_before);
      best.pop_back();
    }
    best.push_back(i);
    std::push_heap(best.begin(), best.end(), comes_before);
  }
  std::sort_heap(best.begin(), best.end(), comes_before);
  return best;
}

}  // namespace hydrophone
