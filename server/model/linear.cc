#include "server/model/linear.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "server/model/parallel.h"

namespace hydrophone {
namespace {

// x with zero rows appended until it has `rows`.
at::Tensor WithRows(const at::Tensor& x, int64_t rows) {
  if (x.size(0) == rows) return x;
  at::Tensor padded = at::zeros({rows, x.size(1)}, x.options());
  padded.narrow(0, 0, x.size(0)).copy_(x);
  return padded;
}

// How many rows the product is computed with, and in how many parts: [rows * i / parts] rounded to whole kMinTileRows.
struct RowParts {
  int64_t rows = 0;
  int64_t parts = 1;

  int64_t First(int64_t part) const {
    return part == parts ? rows : rows / kMinTileRows * part / parts * kMinTileRows;
  }
};

RowParts SplitRows(int64_t n, RowBlocking blocking) {
  if (blocking == RowBlocking::kFree) return {std::max(n, kMinTileRows), std::max<int64_t>(n / kTileRows, 1)};
  const int64_t tiles = (n + kMinTileRows - 1) / kMinTileRows;
  return {tiles * kMinTileRows, tiles};
}

}  // namespace

at::Tensor Conv1D(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, RowBlocking blocking) {
  const int64_t out = weight.size(1);
  const RowParts row_parts = SplitRows(x.size(0), blocking);
  const int64_t column_parts = (out + kTileColumns - 1) / kTileColumns;
  const at::Tensor padded = WithRows(x, row_parts.rows);
  at::Tensor y = at::empty({row_parts.rows, out}, x.options());
  ForEachTask(row_parts.parts * column_parts, [&](int64_t task) {
    const int64_t column = task / row_parts.parts * kTileColumns;
    const int64_t columns = std::min(kTileColumns, out - column);
    const int64_t row = row_parts.First(task % row_parts.parts);
    const int64_t rows = row_parts.First(task % row_parts.parts + 1) - row;
    at::Tensor tile = y.narrow(0, row, rows).narrow(1, column, columns);
    at::addmm_out(tile, bias.narrow(0, column, columns), padded.narrow(0, row, rows), weight.narrow(1, column, columns));
  });
  return y.narrow(0, 0, x.size(0));
}

}  // namespace hydrophone
