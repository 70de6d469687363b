// A view of one run's value at a point, or of a whole batch's: positions x heads x features, with strides.
#ifndef HYDROPHONE_SERVER_MODEL_TAPS_GRID_H_
#define HYDROPHONE_SERVER_MODEL_TAPS_GRID_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "server/core/hook_points.h"
#include "server/core/model_info.h"

namespace hydrophone {

// Elements are float32, and strides count elements. Valid as long as the tensor that it was made from.
template <typename Element>
struct BasicGrid {
  Element* data = nullptr;
  int64_t positions = 0, heads = 0, features = 0;
  int64_t position_stride = 0, head_stride = 0;  // features lie side by side

  Element* At(int64_t position, int64_t head) const { return data + position * position_stride + head * head_stride; }

  // The part with positions [first, first + count).
  BasicGrid Positions(int64_t first, int64_t count) const {
    BasicGrid part = *this;
    part.data = At(first, 0);
    part.positions = count;
    return part;
  }
};

using Grid = BasicGrid<const float>;
using MutableGrid = BasicGrid<float>;

namespace internal {
// Rows [positions, heads * features], the last dimension contiguous.
template <typename GridType, typename Element>
GridType RowsAsGrid(Element* data, const at::Tensor& rows, int64_t heads) {
  const int64_t features = rows.size(1) / heads;
  return {data, rows.size(0), heads, features, rows.stride(0), features};
}
// A square [heads, queries, keys], contiguous: queries are the positions, keys the features.
template <typename GridType, typename Element>
GridType SquareAsGrid(Element* data, const at::Tensor& square) {
  return {data, square.size(1), square.size(0), square.size(2), square.stride(1), square.stride(0)};
}
}  // namespace internal

inline Grid GridOfRows(const at::Tensor& rows, int64_t heads) {
  return internal::RowsAsGrid<Grid>(rows.const_data_ptr<float>(), rows, heads);
}
inline MutableGrid MutableGridOfRows(const at::Tensor& rows, int64_t heads) {
  return internal::RowsAsGrid<MutableGrid>(rows.mutable_data_ptr<float>(), rows, heads);
}
inline Grid GridOfSquare(const at::Tensor& square) {
  return internal::SquareAsGrid<Grid>(square.const_data_ptr<float>(), square);
}
inline MutableGrid MutableGridOfSquare(const at::Tensor& square) {
  return internal::SquareAsGrid<MutableGrid>(square.mutable_data_ptr<float>(), square);
}

// A value at a point that is by_run(), or of any other point's rows.
inline Grid GridAt(HookPoint point, const at::Tensor& value, const ModelInfo& model) {
  const HookPointInfo& info = HookPointOf(point);
  return info.square() ? GridOfSquare(value) : GridOfRows(value, HeadCount(info, model));
}
inline MutableGrid MutableGridAt(HookPoint point, const at::Tensor& value, const ModelInfo& model) {
  const HookPointInfo& info = HookPointOf(point);
  return info.square() ? MutableGridOfSquare(value) : MutableGridOfRows(value, HeadCount(info, model));
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_TAPS_GRID_H_
