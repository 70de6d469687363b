// The model as the rest of the server sees it; server/model implements it, tests use a fake.
#ifndef HYDROPHONE_SERVER_CORE_ENGINE_H_
#define HYDROPHONE_SERVER_CORE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/core/hook_points.h"
#include "server/core/model_info.h"
#include "server/core/parameter.h"
#include "server/core/plan.h"
#include "server/core/tensor.h"

namespace hydrophone {

// Takes one plan's captures while the forward pass computes. The engine calls it on its own thread, so it hands the
// values over and returns at once.
class CaptureSink {
 public:
  virtual ~CaptureSink() = default;

  // Takes what plan.captures[index] asks for, float32: its runs' tensors one after another, [Capture::Elements()].
  // Called once for each index, in ascending order. The view's elements are never written again.
  virtual void OnCapture(size_t index, TensorView values) = 0;

  // Whether the caller has left or run out of time. Asked between layers; once true, no more captures are handed over.
  virtual bool Stopped() const = 0;
};

// A plan in a batch, with the sink that takes its captures. Both outlive the Run.
struct BatchMember {
  const Plan* plan = nullptr;
  CaptureSink* sink = nullptr;
};

// One value of the float64 reference: that of all tokens of the one sequence at this point, in the point's own shape.
using ReferenceSink = std::function<void(HookPoint point, absl::Span<const double> values)>;

// What a fresh reading of the weight files gives, compared with the weights in memory.
struct WeightsAudit {
  std::string file_sha256;                        // of the files as they are on disk now
  std::vector<std::string> differing_parameters;  // whose values in memory differ from the files'
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual const ModelInfo& model() const = 0;
  virtual const ComputeInfo& compute() const = 0;

  // Every parameter, in the order of a forward pass, with the values that the forward pass computes with; copies no
  // values. Thread-safe.
  virtual std::vector<Parameter> Parameters() const = 0;

  // One forward pass, float32, over all members' tokens, up to the deepest block that any of them needs, with each
  // member's edits and mode. Gives every member's captures to its sink. Returns early, with OK, when every sink has
  // stopped. One thread at a time. INTERNAL when the library fails, RESOURCE_EXHAUSTED (OUT_OF_MEMORY) when it gets no
  // memory: then members that lack captures get no more of them.
  //
  // `between` is called on the same thread between pieces of the work, several times a block. It may Run another batch.
  virtual absl::Status Run(absl::Span<const BatchMember> batch, absl::FunctionRef<void()> between) = 0;
  absl::Status Run(absl::Span<const BatchMember> batch) {
    return Run(batch, [] {});
  }

  // ln_f of `rows` [n, d] with the checkpoint's weights. Thread-safe.
  virtual absl::StatusOr<TensorView> ApplyFinalLayerNorm(const TensorView& rows) const = 0;

  // A plain float64 forward pass over one sequence, in eval mode, written separately from Run. Gives every point of the
  // catalogue that is not flat, at every layer, in the order of ForwardOrder. Asks `stopped` between pieces of work and
  // returns CANCELLED once it is true. Thread-safe; single-threaded; slow.
  virtual absl::Status RunReference(absl::Span<const uint32_t> token_ids, const ReferenceSink& sink,
                                    const std::function<bool()>& stopped) const = 0;

  // Reads the weight files again and compares. Thread-safe; takes seconds for large checkpoints.
  virtual absl::StatusOr<WeightsAudit> AuditWeights() const = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_ENGINE_H_
