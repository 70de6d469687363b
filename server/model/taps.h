// Where the forward pass hands over what requests asked for.
#ifndef HYDROPHONE_SERVER_MODEL_TAPS_H_
#define HYDROPHONE_SERVER_MODEL_TAPS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "server/core/engine.h"

namespace hydrophone {

// A batch's taps. The batch is one matrix [tokens, ...]: the members' plans one after another, in each its runs one after another.
// Used by one thread, during one forward pass.
class Taps {
 public:
  // `batch` and its plans and sinks outlive the taps.
  Taps(absl::Span<const BatchMember> batch, int n_layer);

  // Whether a member that has not stopped asks for this point. Values that nobody wants need not be computed.
  bool Wants(HookPoint point) const;

  // Gives `value` [tokens, ...], float32 and contiguous, to every capture of the point. The forward pass must never write to the
  // value's memory again.
  //
  //   value's storage ◄── at::Tensor ◄── TensorView::owner ◄── sink ... until the last byte has left
  //
  // Captures share the value's memory when they take most of it; small ones are copied, so that a slow reader of a few rows does
  // not hold the whole batch's.
  void Give(HookPoint point, const at::Tensor& value);

  // Blocks, from the first, that members which have not stopped still need.
  int BlocksNeeded() const;

 private:
  struct Entry {
    int64_t order = 0;  // ForwardOrder of the point
    size_t member = 0;
    size_t capture = 0;
  };

  const BatchMember& MemberOf(const Entry& entry) const { return batch_[entry.member]; }
  absl::Span<const Entry> EntriesOf(HookPoint point) const;

  absl::Span<const BatchMember> batch_;
  int n_layer_;
  std::vector<int64_t> first_token_;  // of each member
  std::vector<int> blocks_needed_;    // by each member
  std::vector<Entry> entries_;        // sorted by order, member, capture
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_TAPS_H_
