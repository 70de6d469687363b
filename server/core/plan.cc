#include "server/core/plan.h"

#include <functional>
#include <numeric>

namespace hydrophone {

int64_t Capture::RowElements() const {
  return std::accumulate(row_shape.begin(), row_shape.end(), int64_t{1}, std::multiplies<>());
}

std::vector<int64_t> Capture::TensorShape(size_t i) const {
  const int64_t positions = reduction == Reduction::kNone ? rows_per_run[i] : 1;
  if (!keys_per_run.empty()) return {row_shape[0], positions, keys_per_run[i]};
  std::vector<int64_t> shape = {positions};
  shape.insert(shape.end(), row_shape.begin(), row_shape.end());
  return shape;
}

int64_t Capture::TensorElements(size_t i) const {
  const std::vector<int64_t> shape = TensorShape(i);
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

int64_t Capture::Elements() const {
  int64_t elements = 0;
  for (size_t i = 0; i < runs.size(); ++i) elements += TensorElements(i);
  return elements;
}

HookPoint Capture::CompleteAt() const {
  return readout != nullptr && readout->final_divergence ? LogitsPoint() : point;
}

}  // namespace hydrophone
