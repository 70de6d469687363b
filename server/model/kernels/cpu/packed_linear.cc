#include "server/model/kernels/cpu/packed_linear.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

#include "server/model/kernels/cpu/elementwise.h"
#include "server/model/kernels/cpu/pack_panel.h"
#include "server/model/kernels/cpu/panel_products.h"
#include "server/model/libtorch/parallel.h"

namespace hydrophone {
namespace {

// The largest part of a product that one task computes. Its part of the weight, a block of inner elements deep,
// fits in a core's second-level cache together with its rows. kTileColumns is a number of whole panels on every CPU.
constexpr int64_t kTileColumns = 96;
constexpr int64_t kTileRows = 192;
// A task with fewer rows than this leaves registers unused, so rows are not split further.
constexpr int64_t kFewestTileRows = 24;
// How many tasks there are to a thread. Tasks are small, so that the others wait only briefly for a thread that was
// held up. Splitting columns costs less than splitting rows, for which the weight is read once more.
constexpr int64_t kColumnTasksPerThread = 12;
constexpr int64_t kTasksPerThread = 4;

int64_t CeilOfRatio(int64_t a, int64_t b) { return (a + b - 1) / b; }

// `size` rows or columns split into `parts` parts of about equal size; all but the last consist of whole `unit`s.
struct Split {
  int64_t size = 0;
  int64_t unit = 1;
  int64_t parts = 1;

  int64_t First(int64_t part) const { return part == parts ? size : CeilOfRatio(size, unit) * part / parts * unit; }
  int64_t Count(int64_t part) const { return First(part + 1) - First(part); }
};

Split SplitColumns(int64_t columns, int64_t rows) {
  const int64_t panels = CeilOfRatio(columns, PanelColumns()), row_parts = CeilOfRatio(rows, kTileRows);
  const int64_t for_threads = CeilOfRatio(kColumnTasksPerThread * Threads(), row_parts);
  return {columns, PanelColumns(), std::max(CeilOfRatio(columns, kTileColumns), std::min(for_threads, panels))};
}

// Splits rows into parts of at most `tile_rows`, and into enough tasks for all threads.
Split SplitRows(int64_t rows, int64_t tile_rows, int64_t column_parts) {
  const int64_t for_threads = CeilOfRatio(kTasksPerThread * Threads(), column_parts);
  const int64_t most = std::max<int64_t>(rows / kFewestTileRows, 1);
  return {rows, 1, std::max(CeilOfRatio(rows, tile_rows), std::min(for_threads, most))};
}

StridedRows<const float> RowsOf(const at::Tensor& matrix) { return {matrix.const_data_ptr<float>(), matrix.stride(0)}; }

// x when its rows are contiguous, else a copy whose rows are.
at::Tensor WithContiguousRows(const at::Tensor& x) { return x.stride(1) == 1 || x.size(1) == 1 ? x : x.contiguous(); }

// Rows that do not all lie at the same place of a page: caches keep only a few lines that do, and a product reads a
// dozen rows at once.
at::Tensor NewRows(int64_t rows, int64_t columns, const at::TensorOptions& options) {
  constexpr int64_t kPageFloats = 4096 / sizeof(float), kLineFloats = 64 / sizeof(float);
  const int64_t stride = columns % kPageFloats == 0 ? columns + kLineFloats : columns;
  return at::empty({rows, stride}, options).narrow(1, 0, columns);
}

void ActivateTile(Activation activation, const PanelProduct& product) {
  for (int64_t i = 0; i < product.rows; ++i) {
    ApplyActivation(activation, product.y.From(i, 0).data, product.columns);
  }
}

}  // namespace

PackedLinear::PackedLinear(const at::Tensor& weight, const at::Tensor& bias)
    : in_(weight.size(0)), out_(weight.size(1)), bias_(bias) {
  const int64_t width = PanelColumns(), panels = CeilOfRatio(out_, width);
  panels_ = at::empty({panels, in_, width}, weight.options());
  const StridedRows<const float> from = RowsOf(weight);
  float* const to = panels_.mutable_data_ptr<float>();
  ForEachTask(panels, in_ * out_, [&](int64_t panel) {
    const int64_t first = panel * width;
    PackPanel([&](int64_t k) { return from.From(k, first).data; }, in_, std::min(width, out_ - first),
              to + first * in_);
  });
}

at::Tensor PackedLinear::Times(const at::Tensor& x, int64_t first, const at::Tensor& start,
                               std::optional<Activation> activation) const {
  const at::Tensor factor = WithContiguousRows(x);
  at::Tensor y = NewRows(x.size(0), out_, x.options());
  const StridedRows<const float> x_rows = RowsOf(factor);
  const StridedRows<float> y_rows{y.mutable_data_ptr<float>(), y.stride(0)};
  const float* const panels = panels_.const_data_ptr<float>() + first * PanelColumns();
  const Split columns = SplitColumns(out_, x.size(0)), rows = SplitRows(x.size(0), kTileRows, columns.parts);
  const int64_t tasks = rows.parts * columns.parts, threads = Threads();
  ForEachTask(tasks, x.size(0) * x.size(1) * out_, [&](int64_t task) {
    const int64_t row = rows.First(task / columns.parts), part = task % columns.parts, column = columns.First(part);
    PanelProduct product;
    product.x = x_rows.From(row, 0);
    product.rows = rows.Count(task / columns.parts);
    product.inner = x.size(1);
    product.panels = panels + column * in_;
    product.panel_stride = in_ * PanelColumns();
    if (start.defined()) product.start = start.const_data_ptr<float>() + column;
    product.y = y_rows.From(row, column);
    product.columns = columns.Count(part);
    // The task that this thread will take next, if the threads keep pace with each other.
    const int64_t next = (task + threads) % columns.parts;
    if (task + threads < tasks && columns.Count(next) >= product.columns) {
      product.next_panels = panels + columns.First(next) * in_;
    }
    Multiply(product);
    if (activation.has_value()) ActivateTile(*activation, product);
  });
  return y;
}

at::Tensor PackedLinear::TimesRows(const at::Tensor& x, int64_t first) const {
  return Times(x, first, at::Tensor(), std::nullopt);
}

at::Tensor PackedLinear::WeightOnHost() const {
  return panels_.permute({1, 0, 2}).reshape({in_, -1}).narrow(1, 0, out_).contiguous();
}

at::Tensor TimesTransposed(const at::Tensor& x, const at::Tensor& weight) {
  const at::Tensor factor = WithContiguousRows(x), transposed = WithContiguousRows(weight);
  at::Tensor y = at::empty({x.size(0), weight.size(0)}, x.options());
  const int64_t inner = x.size(1), width = PanelColumns();
  const StridedRows<const float> x_rows = RowsOf(factor), weight_rows = RowsOf(transposed);
  const StridedRows<float> y_rows{y.mutable_data_ptr<float>(), y.stride(0)};
  const Split columns{weight.size(0), width, CeilOfRatio(weight.size(0), width)};
  const Split rows = SplitRows(x.size(0), x.size(0), columns.parts);  // every part of the rows packs the weight again
  ForEachTask(rows.parts * columns.parts, (x.size(0) + 1) * inner * weight.size(0), [&](int64_t task) {
    thread_local std::vector<float> panel;  // kept from task to task: new memory costs more than the packing
    panel.resize(static_cast<size_t>(inner * width));
    const int64_t row = rows.First(task / columns.parts), column = columns.First(task % columns.parts);
    PanelProduct product;
    product.x = x_rows.From(row, 0);
    product.rows = rows.Count(task / columns.parts);
    product.inner = inner;
    product.panels = panel.data();
    product.y = y_rows.From(row, column);
    product.columns = columns.Count(task % columns.parts);
    PackTransposedPanel([&](int64_t j) { return weight_rows.From(column + j, 0).data; }, inner, product.columns,
                        panel.data());
    Multiply(product);
  });
  return y;
}

}  // namespace hydrophone
