// Reads a tensor that a client sends: directions, additions, replacements.
#ifndef HYDROPHONE_SERVER_PLAN_SELECT_CLIENT_TENSOR_H_
#define HYDROPHONE_SERVER_PLAN_SELECT_CLIENT_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "hydrophone/v1/tensor.pb.h"
#include "server/core/errors.h"

namespace hydrophone {

// Float32 elements in C order.
struct ClientTensor {
  std::vector<int64_t> shape;  // empty: a scalar; every dimension above 0
  std::vector<float> values;   // as many as the shape says
};

// No field of a request takes a tensor of more dimensions.
inline constexpr int kMaxTensorDimensions = 3;

// Adds a violation, under `path`, for both or neither of floats and data, for data of an odd length, for a shape that
// does not fit the elements, and for the first element that is not finite.
std::optional<ClientTensor> ReadClientTensor(const v1::Tensor& tensor, absl::string_view path, Violations* violations);

// The same, but the elements may be infinite or not a number.
std::optional<ClientTensor> ReadAnyClientTensor(const v1::Tensor& tensor, absl::string_view path,
                                                Violations* violations);

// Adds a violation that element `index` is `value`, which is not what is `expected`. The path names the element itself
// when the elements are in `floats`.
void RefuseElement(const v1::Tensor& tensor, absl::string_view path, int64_t index, float value,
                   absl::string_view expected, Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_SELECT_CLIENT_TENSOR_H_
