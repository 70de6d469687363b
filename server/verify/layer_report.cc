#include "server/verify/layer_report.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "server/verify/bits.h"
#include "server/verify/pearson.h"

namespace hydrophone {
namespace {

static_assert(FLT_EVAL_METHOD == 0, "float32 sums must be rounded at every step");

using Doubles = std::vector<double>;

float Reconstructed(const LayerArrays& arrays, size_t i) {
  const float middle = arrays.before[i] + arrays.attn[i];
  return middle + arrays.mlp[i];
}

Doubles ToDoubles(absl::Span<const float> values) { return Doubles(values.begin(), values.end()); }

// a[i] + sign * b[i], in float64
Doubles Combine(absl::Span<const float> a, double sign, absl::Span<const float> b) {
  Doubles sums(a.size());
  for (size_t i = 0; i < a.size(); ++i) sums[i] = static_cast<double>(a[i]) + sign * static_cast<double>(b[i]);
  return sums;
}

std::vector<Correlation> Correlations(const LayerArrays& arrays, absl::Span<const uint8_t> mask) {
  const Doubles before = ToDoubles(arrays.before);
  const Doubles deltas = Combine(arrays.attn, 1, arrays.mlp);
  auto correlate = [&](const char* name, const Doubles& x, const Doubles& y) {
    return Correlation{name, Pearson(x, y), Pearson(x, y, mask)};
  };
  return {correlate("H[L]~H[L+1]", before, ToDoubles(arrays.after)),
          correlate("attn~mlp", ToDoubles(arrays.attn), ToDoubles(arrays.mlp)),
          correlate("H[L+1]-H[L]~attn+mlp", Combine(arrays.after, -1, arrays.before), deltas),
          correlate("H[L]~attn+mlp", before, deltas)};
}

// The mean magnitude; 0 without values.
double MeanMagnitude(absl::Span<const float> values) {
  double sum = 0;
  for (float value : values) sum += std::abs(static_cast<double>(value));
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

}  // namespace

std::vector<float> ReconstructionResidual(const LayerArrays& arrays) {
  std::vector<float> residual(arrays.after.size());
  for (size_t i = 0; i < residual.size(); ++i) residual[i] = arrays.after[i] - Reconstructed(arrays, i);
  return residual;
}

size_t ReconstructionMismatches(const LayerArrays& arrays) {
  size_t mismatches = 0;
  for (size_t i = 0; i < arrays.after.size(); ++i) mismatches += !SameBits(arrays.after[i], Reconstructed(arrays, i));
  return mismatches;
}

double IncrementBound(const LayerArrays& arrays) {
  constexpr double kUnitRoundoff = 0x1p-24;
  const Doubles middle = Combine(arrays.before, 1, arrays.attn);
  const Doubles deltas = Combine(arrays.attn, 1, arrays.mlp);
  double mean = 0;
  for (double delta : deltas) mean += delta / static_cast<double>(deltas.size());
  double error = 0, spread = 0;
  for (size_t i = 0; i < deltas.size(); ++i) {
    const double rounding = kUnitRoundoff * (std::abs(middle[i]) + std::abs(static_cast<double>(arrays.after[i])));
    error += rounding * rounding;
    spread += (deltas[i] - mean) * (deltas[i] - mean);
  }
  return spread == 0 ? std::numeric_limits<double>::infinity() : error / spread;
}

LayerReport MakeLayerReport(int layer, const LayerArrays& arrays, size_t width, absl::Span<const size_t> lengths,
                            const MaskRule& mask, bool keep_residual) {
  LayerReport report;
  report.layer = layer;
  report.different_elements = ReconstructionMismatches(arrays);
  std::vector<float> residual = ReconstructionResidual(arrays);
  report.max_abs = LargestMagnitude(residual);
  report.mean_abs = MeanMagnitude(residual);
  const std::vector<uint8_t> passing = JointMask({arrays.before, arrays.after, arrays.attn, arrays.mlp}, mask);
  report.correlations = Correlations(arrays, passing);
  report.mask = CountHidden(passing, width, lengths);
  if (keep_residual) report.residual = std::move(residual);
  return report;
}

}  // namespace hydrophone
