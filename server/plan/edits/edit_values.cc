#include "server/plan/edits/edit_values.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/messages.h"
#include "server/core/hook_points.h"
#include "server/plan/select/client_tensor.h"

namespace hydrophone {
namespace {

// Places in EditValues::strides.
enum Axis : size_t { kPositions, kHeads, kFeatures };

// The dimensions of what is edited.
struct EditedShape {
  std::vector<Axis> axes;      // outermost first
  std::vector<int64_t> sizes;  // one for each axis
  absl::string_view names;     // "[positions, features]"
};

// The size of the point's last dimension in the run.
int64_t LastDimension(const EditTarget& target, const ModelInfo& model) {
  return target.info->square() ? target.run.length : FeatureCount(*target.info, model);
}

EditedShape ShapeOf(const EditTarget& target, const ModelInfo& model) {
  const auto positions = static_cast<int64_t>(target.positions.size());
  const int64_t heads =
      target.units.heads.empty() ? HeadCount(*target.info, model) : static_cast<int64_t>(target.units.heads.size());
  const int64_t features =
      target.units.features.empty() ? LastDimension(target, model) : static_cast<int64_t>(target.units.features.size());
  if (target.info->square()) {
    return {{kHeads, kPositions, kFeatures}, {heads, positions, features}, "[heads, queries, keys]"};
  }
  if (target.info->has_heads()) {
    return {{kPositions, kHeads, kFeatures}, {positions, heads, features}, "[positions, heads, features]"};
  }
  return {{kPositions, kFeatures}, {positions, features}, "[positions, features]"};
}

// The steps in a tensor of `shape` from one index of an edited axis to the next; nullopt when it does not broadcast.
std::optional<std::array<int64_t, 3>> Broadcast(const std::vector<int64_t>& shape, const EditedShape& edited) {
  if (shape.size() > edited.axes.size()) return std::nullopt;
  const size_t missing = edited.axes.size() - shape.size();  // outermost dimensions that the tensor lacks
  std::array<int64_t, 3> strides = {0, 0, 0};
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) continue;
    if (shape[i] != edited.sizes[missing + i]) return std::nullopt;
    strides[edited.axes[missing + i]] = stride;
    stride *= shape[i];
  }
  return strides;
}

bool MayBe(float value, const HookPointInfo& info) {
  const bool knocked_out = value == -std::numeric_limits<float>::infinity();
  return std::isfinite(value) || (knocked_out && info.scores());
}

// Looks at the elements of squares that the causal mask does not hide: the others may hold anything, so that a captured
// square can be written back.
bool CheckSquare(const v1::Tensor& tensor, absl::string_view path, const EditTarget& target, const EditedShape& edited,
                 const EditValues& values, Violations* violations) {
  const std::vector<float>& elements = *values.elements;
  if (std::all_of(elements.begin(), elements.end(), [](float value) { return std::isfinite(value); })) return true;
  const std::vector<int32_t>& keys = target.units.features;
  for (int64_t h = 0; h < edited.sizes[0]; ++h) {
    for (int64_t p = 0; p < edited.sizes[1]; ++p) {
      for (int64_t f = 0; f < edited.sizes[2]; ++f) {
        const int64_t key = keys.empty() ? f : keys[static_cast<size_t>(f)];
        const int64_t at = p * values.strides[kPositions] + h * values.strides[kHeads] + f * values.strides[kFeatures];
        const float value = elements[static_cast<size_t>(at)];
        if (key > target.positions[static_cast<size_t>(p)] || MayBe(value, *target.info)) continue;
        const char* expected =
            target.info->scores() ? "a finite number, or -inf for a knocked-out key" : "a finite number";
        RefuseElement(tensor, path, at, value, expected, violations);
        return false;
      }
    }
  }
  return true;
}

EditValues ValuesOf(ClientTensor tensor, const std::array<int64_t, 3>& strides) {
  return {std::make_shared<const std::vector<float>>(std::move(tensor.values)), strides};
}

}  // namespace

std::optional<EditValues> ReadEditValues(const v1::Tensor& tensor, absl::string_view path, const EditTarget& target,
                                         const ModelInfo& model, Violations* violations) {
  const bool square = target.info->square();
  std::optional<ClientTensor> read =
      square ? ReadAnyClientTensor(tensor, path, violations) : ReadClientTensor(tensor, path, violations);
  if (!read.has_value()) return std::nullopt;
  const EditedShape edited = ShapeOf(target, model);
  const std::optional<std::array<int64_t, 3>> strides = Broadcast(read->shape, edited);
  if (strides.has_value()) {
    EditValues values = ValuesOf(*std::move(read), *strides);
    if (square && !CheckSquare(tensor, path, target, edited, values, violations)) return std::nullopt;
    return values;
  }
  violations->Add(absl::StrCat(path, ".shape"),
                  absl::StrCat("got ", ShapeText(read->shape), ", expected one that broadcasts to ",
                               ShapeText(edited.sizes), ", the edited ", edited.names));
  return std::nullopt;
}

std::optional<EditValues> ReadDirection(const v1::Tensor& tensor, absl::string_view path, const EditTarget& target,
                                        const ModelInfo& model, Violations* violations) {
  const size_t before = violations->total();
  if (!target.units.features.empty()) {
    violations->Add(absl::StrCat(target.path, ".units.features"),
                    "got features beside project_out, expected none: a direction takes the whole last dimension");
  }
  std::optional<ClientTensor> read = ReadClientTensor(tensor, path, violations);
  if (!read.has_value()) return std::nullopt;
  const std::vector<int64_t> expected = {LastDimension(target, model)};
  if (read->shape != expected) {
    violations->Add(absl::StrCat(path, ".shape"), absl::StrCat("got ", ShapeText(read->shape), ", expected ",
                                                               ShapeText(expected), ", the point's last dimension"));
  } else if (std::all_of(read->values.begin(), read->values.end(), [](float value) { return value == 0; })) {
    violations->Add(std::string(path), "got a vector of zeros, expected a direction");
  }
  if (violations->total() > before) return std::nullopt;
  return ValuesOf(*std::move(read), {0, 0, 1});
}

}  // namespace hydrophone
