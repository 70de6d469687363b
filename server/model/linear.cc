#include "server/model/linear.h"

#include <ATen/Parallel.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "server/model/elementwise.h"
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

// `size` rows or columns in `parts` about equal parts, all but the last of whole kTileUnit's.
struct Split {
  int64_t size = 0;
  int64_t parts = 1;

  int64_t First(int64_t part) const { return part == parts ? size : size / kTileUnit * part / parts * kTileUnit; }
  int64_t Count(int64_t part) const { return First(part + 1) - First(part); }
};

// `column_tiles`: into how many the columns are split.
Split SplitRows(int64_t n, int64_t column_tiles, RowBlocking blocking) {
  if (blocking == RowBlocking::kFree) {
    const int64_t wanted = (at::get_num_threads() + column_tiles - 1) / column_tiles;
    return {std::max(n, kTileUnit), std::clamp<int64_t>(wanted, 1, std::max<int64_t>(n / kTileUnit, 1))};
  }
  const int64_t tiles = (n + kTileUnit - 1) / kTileUnit;
  return {tiles * kTileUnit, tiles};
}

// About equal, so that no tile is a column or two, for which BLAS libraries have kernels of their own.
Split SplitColumns(int64_t n) { return {n, (n + kTileColumns - 1) / kTileColumns}; }

void ActivateTile(const at::Tensor& tile, Gpt2Config::Activation activation) {
  float* row = tile.mutable_data_ptr<float>();
  for (int64_t i = 0; i < tile.size(0); ++i, row += tile.stride(0)) ApplyActivation(activation, row, tile.size(1));
}

}  // namespace

std::vector<int64_t> TileWidths(int64_t out) {
  const Split split = SplitColumns(out);
  std::vector<int64_t> widths;
  for (int64_t part = 0; part < split.parts; ++part) {
    const int64_t width = split.Count(part);
    if (std::find(widths.begin(), widths.end(), width) == widths.end()) widths.push_back(width);
  }
  return widths;
}

at::Tensor Conv1D(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, RowBlocking blocking,
                  std::optional<Gpt2Config::Activation> activation) {
  const Split column_split = SplitColumns(weight.size(1));
  const Split row_split = SplitRows(x.size(0), column_split.parts, blocking);
  const at::Tensor padded = WithRows(x, row_split.size);
  at::Tensor y = at::empty({row_split.size, column_split.size}, x.options());
  ForEachTask(row_split.parts * column_split.parts, [&](int64_t task) {
    const int64_t row = row_split.First(task % row_split.parts), rows = row_split.Count(task % row_split.parts);
    const int64_t column = column_split.First(task / row_split.parts);
    const int64_t columns = column_split.Count(task / row_split.parts);
    at::Tensor tile = y.narrow(0, row, rows).narrow(1, column, columns);
    at::addmm_out(tile, bias.narrow(0, column, columns), padded.narrow(0, row, rows), weight.narrow(1, column, columns));
    if (activation.has_value()) ActivateTile(tile, *activation);
  });
  return y.narrow(0, 0, x.size(0));
}

at::Tensor TimesTransposed(const at::Tensor& x, const at::Tensor& weight, RowBlocking blocking) {
  const int64_t count = weight.size(0);
  const int64_t tiles = (count + kTransposedColumns - 1) / kTransposedColumns;
  const Split row_split = SplitRows(x.size(0), tiles, blocking);
  const at::Tensor padded = WithRows(x, row_split.size);
  at::Tensor y = at::empty({row_split.size, count}, x.options());
  ForEachTask(row_split.parts * tiles, [&](int64_t task) {
    const int64_t row = row_split.First(task % row_split.parts), rows = row_split.Count(task % row_split.parts);
    const int64_t column = task / row_split.parts * kTransposedColumns;
    const int64_t columns = std::min(kTransposedColumns, count - column);
    const at::Tensor factor = WithRows(weight.narrow(0, column, columns), kTransposedColumns).t();
    const at::Tensor tile = y.narrow(0, row, rows).narrow(1, column, columns);
    if (columns == kTransposedColumns) {
      at::Tensor out = tile;
      at::mm_out(out, padded.narrow(0, row, rows), factor);
    } else {
      tile.copy_(at::mm(padded.narrow(0, row, rows), factor).narrow(1, 0, columns));
    }
  });
  return y.narrow(0, 0, x.size(0));
}

}  // namespace hydrophone
