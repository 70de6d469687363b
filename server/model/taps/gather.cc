#include "server/model/taps/gather.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace hydrophone {
namespace {

int64_t CountOf(const std::vector<int32_t>& chosen, int64_t all) {
  return chosen.empty() ? all : static_cast<int64_t>(chosen.size());
}

float* CopyFeatures(const float* from, int64_t all, const std::vector<int32_t>& chosen, float* to) {
  if (chosen.empty()) return std::copy(from, from + all, to);
  for (int32_t feature : chosen) *to++ = from[feature];
  return to;
}

// Reduces `count` rows of `width` elements column by column.
void MeanRows(const float* rows, int64_t count, int64_t width, float* mean) {
  std::vector<double> sums(static_cast<size_t>(width), 0.0);
  for (int64_t row = 0; row < count; ++row) {
    for (int64_t i = 0; i < width; ++i) sums[static_cast<size_t>(i)] += static_cast<double>(rows[row * width + i]);
  }
  for (int64_t i = 0; i < width; ++i) {
    mean[i] = static_cast<float>(sums[static_cast<size_t>(i)] / static_cast<double>(count));
  }
}

void MaxRows(const float* rows, int64_t count, int64_t width, float* max) {
  std::copy(rows, rows + width, max);
  for (int64_t row = 1; row < count; ++row) {
    for (int64_t i = 0; i < width; ++i) {
      const float value = rows[row * width + i];
      if (value > max[i] || std::isnan(value)) max[i] = value;
    }
  }
}

}  // namespace

at::Tensor Gather(const Grid& grid, absl::Span<const int64_t> positions, const Units& units) {
  const int64_t heads = CountOf(units.heads, grid.heads);
  const int64_t features = CountOf(units.features, grid.features);
  at::Tensor gathered = at::empty({static_cast<int64_t>(positions.size()), heads, features}, at::kFloat);
  float* to = gathered.mutable_data_ptr<float>();
  for (int64_t position : positions) {
    for (int64_t i = 0; i < heads; ++i) {
      const int64_t head = units.heads.empty() ? i : units.heads[static_cast<size_t>(i)];
      to = CopyFeatures(grid.At(position, head), grid.features, units.features, to);
    }
  }
  return gathered;
}

at::Tensor Reduce(const at::Tensor& rows, absl::Span<const uint32_t> rows_per_run, Reduction reduction) {
  if (reduction == Reduction::kNone) return rows;
  const int64_t width = rows.size(1) * rows.size(2);
  at::Tensor reduced = at::empty({static_cast<int64_t>(rows_per_run.size()), rows.size(1), rows.size(2)}, at::kFloat);
  const float* from = rows.const_data_ptr<float>();
  float* to = reduced.mutable_data_ptr<float>();
  for (uint32_t count : rows_per_run) {
    if (reduction == Reduction::kMean) MeanRows(from, count, width, to);
    if (reduction == Reduction::kMax) MaxRows(from, count, width, to);
    from += count * width;
    to += width;
  }
  return reduced;
}

at::Tensor DotProducts(const at::Tensor& rows, const at::Tensor& vectors) {
  const int64_t n = rows.size(0), count = vectors.size(0), width = rows.size(1);
  at::Tensor products = at::empty({n, count}, at::kFloat);
  float* to = products.mutable_data_ptr<float>();
  for (int64_t i = 0; i < n; ++i) {
    const float* row = rows.const_data_ptr<float>() + i * width;
    for (int64_t k = 0; k < count; ++k) {
      const float* vector = vectors.const_data_ptr<float>() + k * width;
      double sum = 0;
      for (int64_t j = 0; j < width; ++j) sum += static_cast<double>(row[j]) * static_cast<double>(vector[j]);
      *to++ = static_cast<float>(sum);
    }
  }
  return products;
}

}  // namespace hydrophone
