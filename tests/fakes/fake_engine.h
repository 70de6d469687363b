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

  // Called on the engine's thread at the start of every Run, before every index of captures, and at the end: places
  // where tests make the engine wait. To be set before the first Run.
  std::function<void()> on_run = [] {};
  // Called right after on_run, with the batch.
  std::function<void(absl::Span<const BatchMember> batch)> on_batch = [](absl::Span<const BatchMember>) {};
  std::function<void(size_t index)> before_capture = [](size_t) {};
  std::function<void()> after_captures = [] {};
  // The likeliest token after `token`.
  std::function<uint32_t(uint32_t token)> next_token = [](uint32_t token) { return token + 1; };
  absl::Status result;            // what Run returns; captures are given only when OK
  size_t captures_held_back = 0;  // the number of last captures that Run does not give
  // Run returns `failure` instead of giving captures of this index and later.
  std::optional<size_t> fails_before_capture;
  absl::Status failure;
  WeightsAudit audit;
  ComputeInfo compute_info;

  // The value of one element.
  static float Value(HookPoint point, uint32_t token, int64_t column);

  // The number of requests in each batch so far.
  std::vector<size_t> batches() const;

  const ModelInfo& model() const override { return model_; }
  const ComputeInfo& compute() const override { return compute_info; }
  absl::Status Run(absl::Span<const BatchMember> batch) override;
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
