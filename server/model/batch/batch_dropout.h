// Dropout over a batch in which some runs are in train mode and some are not.
#ifndef HYDROPHONE_SERVER_MODEL_BATCH_BATCH_DROPOUT_H_
#define HYDROPHONE_SERVER_MODEL_BATCH_BATCH_DROPOUT_H_

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "server/checkpoint/gpt2_config.h"
#include "server/core/engine.h"
#include "server/model/batch/batch_rows.h"
#include "server/model/batch/dropout.h"

namespace hydrophone {

// A sequence is a run, counted over the whole batch. Probabilities are the checkpoint's: embd_pdrop, attn_pdrop,
// resid_pdrop.
class BatchDropout {
 public:
  // `rows` and `config` outlive this.
  BatchDropout(absl::Span<const BatchMember> batch, const BatchRows& rows, const Gpt2Config& config);

  // x [tokens, d] with the rows of runs in train mode dropped, in a copy; x itself when there are none. On a
  // device, the copy goes to the host's memory and back, and the computation waits for it.
  at::Tensor Rows(DropoutPlace place, int layer, const at::Tensor& x) const;

  // Whether the sequence's patterns are dropped, and doing so in pattern [H, s, s].
  bool DropsPattern(size_t sequence) const {
    return config_.attn_pdrop > 0 && keys_[sequence].has_value() && rows_.CountOf(sequence) > 0;
  }
  void Pattern(int layer, size_t sequence, at::Tensor& pattern) const;

 private:
  double ProbabilityAt(DropoutPlace place) const;

  const BatchRows& rows_;
  const Gpt2Config& config_;
  bool any_ = false;                           // any run is in train mode
  std::vector<std::optional<uint64_t>> keys_;  // of each sequence; none: eval mode
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_BATCH_BATCH_DROPOUT_H_
