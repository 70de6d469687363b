#include "server/model/batch/batch_dropout.h"

#include "server/model/libtorch/parallel.h"
#include "server/model/libtorch/transfers.h"

namespace hydrophone {
namespace {

// The row of a pattern has the number head * 2^20 + query: no context is as long.
constexpr int64_t kQueryBits = 20;

// About how many multiply-adds take as long as one element's random number.
constexpr int64_t kDrawOfAnElement = 16;

}  // namespace

BatchDropout::BatchDropout(absl::Span<const BatchMember> batch, const BatchRows& rows,
                           const DropoutProbabilities& probabilities)
    : rows_(rows), probabilities_(probabilities) {
  for (const BatchMember& member : batch) {
    for (const PlannedRun& run : member.plan->runs) {
      keys_.emplace_back();
      if (!run.train_seed.has_value()) continue;
      keys_.back() = DropoutKey(*run.train_seed, run.token_ids);
      any_ = true;
    }
  }
}

double BatchDropout::ProbabilityAt(DropoutPlace place) const {
  return place == DropoutPlace::kEmbedding ? probabilities_.embedding : probabilities_.residual;
}

at::Tensor BatchDropout::Drop(DropoutPlace place, int layer, const at::Tensor& x) const {
  const double p = ProbabilityAt(place);
  if (!any_ || p <= 0) return x;
  at::Tensor dropped = CopyInHost(x);
  const int64_t width = x.size(1);
  float* const values = dropped.mutable_data_ptr<float>();
  ForEachTask(static_cast<int64_t>(keys_.size()), x.numel() * kDrawOfAnElement, [&](int64_t task) {
    const auto sequence = static_cast<size_t>(task);
    if (!keys_[sequence].has_value() || rows_.CountOf(sequence) == 0) return;
    const int64_t first = rows_.FirstRowOf(sequence);
    for (int64_t position = 0; position < rows_.CountOf(sequence); ++position) {
      DropRow(*keys_[sequence], place, layer, position, p, values + (first + position) * width, width);
    }
  });
  return ToDevice(dropped, x.device());
}

void BatchDropout::DropPattern(int layer, size_t sequence, at::Tensor& pattern) const {
  if (!DropsPattern(sequence)) return;
  const int64_t count = pattern.size(1);
  float* const values = pattern.mutable_data_ptr<float>();
  ForEachTask(pattern.size(0), pattern.numel() * kDrawOfAnElement, [&](int64_t head) {
    for (int64_t query = 0; query < count; ++query) {
      DropRow(*keys_[sequence], DropoutPlace::kPattern, layer, (head << kQueryBits) + query, probabilities_.pattern,
              values + (head * count + query) * count, query + 1);
    }
  });
}

}  // namespace hydrophone
