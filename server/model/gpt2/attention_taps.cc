#include "server/model/gpt2/attention_taps.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>

namespace hydrophone {
namespace {

// Sets what squares [H, s, s] have above their diagonals to `value`.
void MaskFuture(at::Tensor& squares, float value) {
  const int64_t count = squares.size(1);
  float* row = squares.mutable_data_ptr<float>();
  for (int64_t i = 0; i < squares.size(0) * count; ++i, row += count) {
    std::fill(row + i % count + 1, row + count, value);
  }
}

}  // namespace

AttentionTaps::AttentionTaps(int layer, Taps& taps, const BatchDropout& dropout)
    : scores_{Site::kAttnScores, layer},
      softmax_{Site::kSoftmax, layer},
      pattern_{Site::kPattern, layer},
      taps_(taps),
      dropout_(dropout) {}

std::vector<size_t> AttentionTaps::Visited() const {
  const std::vector<size_t>& in_order = taps_.SequencesInOrder();
  std::vector<bool> touched(in_order.size(), false);
  for (const HookPoint point : {scores_, softmax_, pattern_}) taps_.MarkByRun(point, touched);
  std::vector<size_t> visited;
  for (size_t sequence : in_order) {
    if ((touched[sequence] || dropout_.DropsPattern(sequence)) && taps_.IsGoingOn(sequence)) {
      visited.push_back(sequence);
    }
  }
  return visited;
}

void AttentionTaps::OnScores(size_t sequence, at::Tensor& scores) {
  if (taps_.EditByRun(scores_, sequence, scores)) MaskFuture(scores, kMaskedScore);
  taps_.GiveByRun(scores_, sequence, scores);
}

void AttentionTaps::OnPattern(size_t sequence, at::Tensor& pattern) {
  EditAndGive(softmax_, sequence, pattern);
  dropout_.DropPattern(pattern_.layer, sequence, pattern);
  EditAndGive(pattern_, sequence, pattern);
}

void AttentionTaps::EditAndGive(HookPoint point, size_t sequence, at::Tensor& probabilities) {
  if (taps_.EditByRun(point, sequence, probabilities)) MaskFuture(probabilities, 0.0f);
  taps_.GiveByRun(point, sequence, probabilities);
}

void AttentionTaps::SendSquares() {
  for (const HookPoint point : {scores_, softmax_, pattern_}) taps_.SendByRun(point);
}

}  // namespace hydrophone
