// An Engine over a transformer that is small enough to be trusted by reading it. It computes captures in float32 and
// the reference in float64. Tests give it faults to see whether Verify finds them.
#ifndef HYDROPHONE_TESTS_FAKES_TOY_ENGINE_H_
#define HYDROPHONE_TESTS_FAKES_TOY_ENGINE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "server/core/engine.h"

namespace hydrophone {

// What Run does wrong; the reference stays right.
struct ToyFaults {
  bool neighbours_leak = false;  // attention deltas change a little when other runs are in the batch
  float mlp_scale = 1;           // a factor on every MLP delta, applied consistently: all sums still close
  bool no_ln_f = false;          // hidden_states[N] is the raw output
  // Captures at this site are a thousandth too large; what follows from the value stays right.
  std::optional<Site> wrong_site = std::nullopt;
};

// Arrays by (site, layer), in the points' shapes; those of several runs one after another.
template <typename T>
using ToyPoints = std::map<std::pair<Site, int>, std::vector<T>>;

// Three blocks of width 8 with two heads. Every matrix of the attention and of the MLP is a diagonal or a few of them
// side by side; the MLP's function is tanh.
class ToyEngine : public Engine {
 public:
  explicit ToyEngine(ToyFaults faults = {});

  const ModelInfo& model() const override { return model_; }
  const ComputeInfo& compute() const override { return compute_; }
  std::vector<Parameter> Parameters() const override { return {}; }
  using Engine::Run;
  absl::Status Run(absl::Span<const BatchMember> batch, absl::FunctionRef<void()> between) override;
  absl::StatusOr<TensorView> ApplyFinalLayerNorm(const TensorView& rows) const override;
  absl::Status RunReference(absl::Span<const uint32_t> token_ids, const ReferenceSink& sink,
                            const std::function<bool()>& stopped) const override;
  absl::StatusOr<WeightsAudit> AuditWeights() const override { return audit_; }

  // All points of the runs, the runs' rows one after another. `leak`: attention deltas change as by neighbours_leak in
  // a shared batch. `train`: dropout is applied, the same at any seed.
  ToyPoints<float> Forward(const std::vector<std::vector<uint32_t>>& runs, bool leak = false, bool train = false) const;

  // What compute() and AuditWeights() return; a new engine's report nothing wrong.
  ComputeInfo& mutable_compute() { return compute_; }
  WeightsAudit& audit() { return audit_; }

 private:
  ModelInfo model_;
  ComputeInfo compute_;
  WeightsAudit audit_;
  ToyFaults faults_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_TOY_ENGINE_H_
