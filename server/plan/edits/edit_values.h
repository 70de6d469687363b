// Reads the numbers that an intervention carries: what it adds, what it sets, which direction it removes.
#ifndef HYDROPHONE_SERVER_PLAN_EDITS_EDIT_VALUES_H_
#define HYDROPHONE_SERVER_PLAN_EDITS_EDIT_VALUES_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "hydrophone/v1/tensor.pb.h"
#include "server/core/errors.h"
#include "server/core/model_info.h"
#include "server/plan/edits/edit_target.h"

namespace hydrophone {

// What becomes Edit's `values` and `strides`.
struct EditValues {
  std::shared_ptr<const std::vector<float>> elements;
  std::array<int64_t, 3> strides = {0, 0, 0};  // positions, heads, features
};

// A scalar, a vector or a tensor that broadcasts, as NumPy does it, to what is edited: [positions, features], with
// heads [positions, heads, features], for scores and patterns [heads, queries, keys]; each dimension as large as what
// the edit selects. Adds a violation under `path` otherwise.
std::optional<EditValues> ReadEditValues(const v1::Tensor& tensor, absl::string_view path, const EditTarget& target,
                                         const ModelInfo& model, Violations* violations);

// Reads a vector that is not zero and as long as the point's last dimension, which must be edited whole.
std::optional<EditValues> ReadDirection(const v1::Tensor& tensor, absl::string_view path, const EditTarget& target,
                                        const ModelInfo& model, Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_EDITS_EDIT_VALUES_H_
