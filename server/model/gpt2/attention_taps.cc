#include "server/model/gpt2/attention_taps.h"

namespace hydrophone {

AttentionTaps::AttentionTaps(int layer, Taps& taps, const BatchDropout& dropout)
    : scores_{Site::kAttnScores, layer}, pattern_{Site::kPattern, layer}, taps_(taps), dropout_(dropout) {}

std::vector<size_t> AttentionTaps::Visited() const {
  const std::vector<size_t>& in_order = taps_.SequencesInOrder();
  std::vector<bool> touched(in_order.size(), false);
  taps_.MarkSquares(scores_, touched);
  taps_.MarkSquares(pattern_, touched);
  std::vector<size_t> visited;
  for (size_t sequence : in_order) {
    if ((touched[sequence] || dropout_.DropsPattern(sequence)) && taps_.IsGoingOn(sequence))
      visited.push_back(sequence);
  }
  return visited;
}

void AttentionTaps::OnScores(size_t sequence, at::Tensor& scores) {
  if (taps_.EditSquare(scores_, sequence, scores)) MaskFuture(scores, kMaskedScore);
  taps_.GiveSquare(scores_, sequence, scores);
}

void AttentionTaps::OnPattern(size_t sequence, at::Tensor& pattern) {
  if (taps_.EditSquare(pattern_, sequence, pattern)) MaskFuture(pattern, 0.0f);
  taps_.GiveSquare(pattern_, sequence, pattern);
  dropout_.Pattern(pattern_.layer, sequence, pattern);
}

void AttentionTaps::Finish() {
  taps_.FinishSquares(scores_);
  taps_.FinishSquares(pattern_);
}

}  // namespace hydrophone
