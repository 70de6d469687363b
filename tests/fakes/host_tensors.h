// Tensors with given values in the host's memory.
#ifndef HYDROPHONE_TESTS_FAKES_HOST_TENSORS_H_
#define HYDROPHONE_TESTS_FAKES_HOST_TENSORS_H_

#include <cstdint>
#include <vector>

#include "server/core/tensor.h"

namespace hydrophone {

// The values 0, 1, 2, ... in `shape`, in memory of their own.
TensorView CountingTensor(std::vector<int64_t> shape);
// `values` in `shape`, in memory of their own.
TensorView TensorOf(std::vector<int64_t> shape, const std::vector<float>& values);

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_HOST_TENSORS_H_
