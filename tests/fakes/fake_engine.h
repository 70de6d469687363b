// An engine without a model: every captured value is a known function of the point, the token and the column.
#ifndef HYDROPHONE_TESTS_FAKES_FAKE_ENGINE_H_
#define HYDROPHONE_TESTS_FAKES_FAKE_ENGINE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/core/engine.h"

namespace hydrophone {

// Two blocks of width 4, 16 positions, 50257 tokens.
ModelInfo TinyModel();

class FakeEngine : public Engine {
 public:
  FakeEngine();

  // Run calls on_run first, then on_batch with the members of its batch, before_capture ahead of each index of
  // captures, and after_captures at its end, all on the engine's thread. A test makes the engine wait in them, and sets
  // them before the first Run.
  std::function<void()> on_run = [] {};
  std::function<void(absl::Span<const BatchMember> batch)> on_batch = [](absl::Span<const BatchMember>) {};
  std::function<void(size_t index)> before_capture = [](size_t) {};
  std::function<void()> after_captures = [] {};
  // The likeliest token after `token`: the first number of a readout.
  std::function<uint32_t(uint32_t token)> next_token = [](uint32_t token) { return token + 1; };
  // What Run returns; it gives captures only when this is OK.
  absl::Status result;
  // The number of captures, the last ones of each plan, that Run forgets to give.
  size_t captures_held_back = 0;
  // Run returns `failure` instead of giving captures of this index and later.
  std::optional<size_t> fails_before_capture;
  absl::Status failure;
  WeightsAudit audit;
  ComputeInfo compute_info;
  std::vector<Parameter> parameters;

  // The value that Run gives for one element of a captured row.
  static float Value(HookPoint point, uint32_t token, int64_t column);

  // The number of requests in each batch so far.
  std::vector<size_t> batches() const;

  const ModelInfo& model() const override { return model_; }
  const ComputeInfo& compute() const override { return compute_info; }
  std::vector<Parameter> Parameters() const override { return parameters; }
  using Engine::Run;
  absl::Status Run(absl::Span<const BatchMember> batch, absl::FunctionRef<void()> between) override;
  absl::StatusOr<TensorView> ApplyFinalLayerNorm(const TensorView& rows) const override;
  absl::Status RunReference(absl::Span<const uint32_t> token_ids, const ReferenceSink& sink,
                            const std::function<bool()>& stopped) const override;
  absl::StatusOr<WeightsAudit> AuditWeights() const override { return audit; }

 private:
  const ModelInfo model_ = TinyModel();
  mutable Mutex mutex_;
  std::vector<size_t> batches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_FAKE_ENGINE_H_
