// Dropout over a batch in which some runs are in train mode and some are not.
#ifndef HYDROPHONE_SERVER_MODEL_BATCH_BATCH_DROPOUT_H_
#define HYDROPHONE_SERVER_MODEL_BATCH_BATCH_DROPOUT_H_

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "server/core/engine.h"
#include "server/model/batch/batch_rows.h"
#include "server/model/batch/dropout.h"

namespace hydrophone {

// A sequence is a run, counted over the whole batch.
class BatchDropout {
 public:
  // `rows` outlives this. `probabilities`: the checkpoint's.
  BatchDropout(absl::Span<const BatchMember> batch, const BatchRows& rows, const DropoutProbabilities& probabilities);

  // Drops elements of x [rows, d] in the rows of runs in train mode, and returns the copy in which it does so, or x
  // itself when no run is in train mode. On a device, the value goes to the host's memory and back, and the computation
  // waits.
  at::Tensor Drop(DropoutPlace place, int layer, const at::Tensor& x) const;

  // Whether elements of the sequence's patterns are dropped.
  bool DropsPattern(size_t sequence) const {
    return probabilities_.pattern > 0 && keys_[sequence].has_value() && rows_.CountOf(sequence) > 0;
  }
  // Drops them, in pattern [H, s, s] itself.
  void DropPattern(int layer, size_t sequence, at::Tensor& pattern) const;

 private:
  double ProbabilityAt(DropoutPlace place) const;

  const BatchRows& rows_;
  const DropoutProbabilities probabilities_;
  bool any_ = false;                           // whether any run is in train mode
  std::vector<std::optional<uint64_t>> keys_;  // each sequence's; none in eval mode
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_BATCH_BATCH_DROPOUT_H_
