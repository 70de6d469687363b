#include "client/cpp/reconstruction.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/extract_all.h"

namespace hydrophone::client {
namespace {

// The rows of all inputs, by the selector's index and the layer.
using Arrays = std::map<std::pair<uint32_t, int32_t>, std::vector<float>>;

class ArraysSink : public ExtractSink {
 public:
  explicit ArraysSink(Arrays* arrays) : arrays_(*arrays) {}

  absl::Status OnTensor(ReceivedTensor tensor) override {
    const auto floats = ToFloats(tensor);
    if (!floats.ok()) return floats.status();
    auto& array = arrays_[{tensor.info.selector(), tensor.info.layer()}];
    array.insert(array.end(), floats->begin(), floats->end());
    return absl::OkStatus();
  }

 private:
  Arrays& arrays_;
};

v1::HookSelector Selector(const char* hook_point, const std::set<uint32_t>& layers) {
  v1::HookSelector selector;
  selector.set_hook_point(hook_point);
  for (const uint32_t layer : layers) selector.add_layers(static_cast<int32_t>(layer));
  return selector;
}

absl::StatusOr<Arrays> Fetch(Client& client, const std::vector<v1::Input>& inputs,
                             const std::vector<v1::HookSelector>& hooks, const ReconstructionMode& mode) {
  v1::ExtractRequest request;
  if (mode.train_seed) request.set_train_seed(*mode.train_seed);
  request.mutable_inputs()->Assign(inputs.begin(), inputs.end());
  request.mutable_hooks()->Assign(hooks.begin(), hooks.end());
  request.set_layout(v1::LAYOUT_ROWS);
  Arrays arrays;
  ArraysSink sink(&arrays);
  if (absl::Status status = ExtractAll(client, request, &sink); !status.ok()) return status;
  return arrays;
}

}  // namespace

Reconstruction Reconstruct(absl::Span<const float> before, absl::Span<const float> attention,
                           absl::Span<const float> mlp, absl::Span<const float> after) {
  Reconstruction result;
  result.elements = after.size();
  result.bitwise = true;
  double sum = 0;
  for (size_t i = 0; i < after.size(); ++i) {
    const float rebuilt = (before[i] + attention[i]) + mlp[i];
    result.bitwise &= std::bit_cast<uint32_t>(rebuilt) == std::bit_cast<uint32_t>(after[i]);
    const double residual = std::fabs(static_cast<double>(after[i] - rebuilt));
    sum += residual;
    // A residual that is not a number must not pass for a small one, nor be forgotten.
    if (!std::isnan(result.max_abs) && !(residual <= result.max_abs)) result.max_abs = residual;
  }
  if (result.elements > 0) result.mean_abs = sum / static_cast<double>(result.elements);
  return result;
}

absl::StatusOr<std::vector<Reconstruction>> ReconstructLayers(Client& client, const std::vector<v1::Input>& inputs,
                                                              const std::vector<uint32_t>& layers,
                                                              const ReconstructionMode& mode) {
  const auto model = client.Model();
  if (!model.ok()) return model.status();
  if (layers.empty()) return std::vector<Reconstruction>();
  const uint32_t last = model->model().n_layer() - 1;
  const std::set<uint32_t> blocks(layers.begin(), layers.end());
  std::set<uint32_t> states = blocks;
  for (const uint32_t layer : blocks) {
    if (layer < last) states.insert(layer + 1);
  }

  std::vector<v1::HookSelector> state_hooks = {Selector("hidden_states", states)};
  if (blocks.count(last) != 0) state_hooks.push_back(Selector("hook_resid_post", {last}));
  const auto state_arrays = Fetch(client, inputs, state_hooks, mode);
  if (!state_arrays.ok()) return state_arrays.status();
  const bool dropped = mode.deltas == Deltas::kDropped;
  const auto deltas = Fetch(client, inputs,
                            {Selector(dropped ? "attn.resid_dropout" : "attn.c_proj", blocks),
                             Selector(dropped ? "mlp.dropout" : "mlp.c_proj", blocks)},
                            mode);
  if (!deltas.ok()) return deltas.status();

  const auto find = [](const Arrays& arrays, uint32_t selector, uint32_t layer) -> absl::Span<const float> {
    const auto found = arrays.find({selector, static_cast<int32_t>(layer)});
    return found == arrays.end() ? absl::Span<const float>() : absl::MakeConstSpan(found->second);
  };
  std::vector<Reconstruction> results;
  for (const uint32_t layer : layers) {
    const auto before = find(*state_arrays, 0, layer);
    const auto after = layer < last ? find(*state_arrays, 0, layer + 1) : find(*state_arrays, 1, last);
    const auto attention = find(*deltas, 0, layer);
    const auto mlp = find(*deltas, 1, layer);
    if (after.empty() || before.size() != after.size() || attention.size() != after.size() ||
        mlp.size() != after.size()) {
      return absl::DataLossError(absl::StrCat("layer ", layer, ": the state before it has ", before.size(),
                                              " elements, the attention delta ", attention.size(), ", the MLP delta ",
                                              mlp.size(), ", the state after it ", after.size()));
    }
    results.push_back(Reconstruct(before, attention, mlp, after));
    results.back().layer = layer;
  }
  return results;
}

}  // namespace hydrophone::client
