// The taps inside one layer's attention: its scores and its pattern.
#ifndef HYDROPHONE_SERVER_MODEL_GPT2_ATTENTION_TAPS_H_
#define HYDROPHONE_SERVER_MODEL_GPT2_ATTENTION_TAPS_H_

#include <vector>

#include "server/model/batch/batch_dropout.h"
#include "server/model/kernels/attention.h"
#include "server/model/taps/taps.h"

namespace hydrophone {

// Visits the sequences whose scores or pattern are captured, edited or dropped.
class AttentionTaps final : public AttentionVisitor {
 public:
  // `taps` and `dropout` outlive this.
  AttentionTaps(int layer, Taps& taps, const BatchDropout& dropout);

  std::vector<size_t> Visited() const override;
  void OnScores(size_t sequence, at::Tensor& scores) override;
  void OnPattern(size_t sequence, at::Tensor& pattern) override;

  // Sends what was captured. To be called once attention is done.
  void SendSquares();

 private:
  void EditAndGive(HookPoint point, size_t sequence, at::Tensor& probabilities);

  const HookPoint scores_, softmax_, pattern_;
  Taps& taps_;
  const BatchDropout& dropout_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_GPT2_ATTENTION_TAPS_H_
