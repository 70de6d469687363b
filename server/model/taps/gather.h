// Takes what a capture asks for out of a value: positions, heads, features, one row instead of many, dot products.
#ifndef HYDROPHONE_SERVER_MODEL_TAPS_GATHER_H_
#define HYDROPHONE_SERVER_MODEL_TAPS_GATHER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "absl/types/span.h"
#include "server/core/plan.h"
#include "server/model/taps/grid.h"

namespace hydrophone {

// The grid's `positions`, in their order, with the heads and features of `units`: a new [positions, heads, features].
at::Tensor Gather(const Grid& grid, absl::Span<const int64_t> positions, const Units& units);

// Reduces each run's rows of `rows` [n, heads, features] to one: [runs, heads, features]. `rows_per_run` sums to n, and
// none of it is 0. A mean adds the run's rows in their order in float64 and is rounded once; a maximum is NaN if one of
// the values is.
at::Tensor Reduce(const at::Tensor& rows, absl::Span<const uint32_t> rows_per_run, Reduction reduction);

// rows [n, width] times vectors [count, width] transposed: [n, count], each sum in float64, in the order of the width,
// rounded once.
at::Tensor DotProducts(const at::Tensor& rows, const at::Tensor& vectors);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_TAPS_GATHER_H_
