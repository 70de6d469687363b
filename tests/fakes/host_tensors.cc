#include "tests/fakes/host_tensors.h"

#include <memory>
#include <numeric>
#include <utility>

namespace hydrophone {
TensorView TensorOf(std::vector<int64_t> shape, const std::vector<float>& values) {
  auto storage = std::make_shared<const std::vector<float>>(values);
  TensorView view;
  view.shape = std::move(shape);
  view.data = reinterpret_cast<const std::byte*>(storage->data());
  view.owner = storage;
  return view;
}

TensorView CountingTensor(std::vector<int64_t> shape) {
  TensorView sized;
  sized.shape = shape;
  std::vector<float> values(sized.elements());
  std::iota(values.begin(), values.end(), 0.0f);
  return TensorOf(std::move(shape), values);
}

}  // namespace hydrophone
