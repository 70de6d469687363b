// All edits of a batch, and the values that patches read from earlier points.
#ifndef HYDROPHONE_SERVER_MODEL_TAPS_BATCH_EDITS_H_
#define HYDROPHONE_SERVER_MODEL_TAPS_BATCH_EDITS_H_

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "server/core/engine.h"
#include "server/core/model_info.h"
#include "server/model/batch/batch_rows.h"
#include "server/model/taps/grid.h"

namespace hydrophone {

// A sequence is a run, counted over the whole batch. Used by one thread, during one forward pass.
class BatchEdits {
 public:
  // `batch`, its plans, `rows` and `model` outlive this.
  BatchEdits(absl::Span<const BatchMember> batch, const BatchRows& rows, const ModelInfo& model);

  // Whether there are edits at the point; whether patches read it.
  bool Any(HookPoint point) const { return !EntriesOf(edits_, point).empty(); }
  bool IsRead(HookPoint point) const { return !EntriesOf(reads_, point).empty(); }

  // Makes the edits at the point in the batch's `value` [rows, heads * features], which is in the host's memory.
  void Apply(HookPoint point, at::Tensor& value) const;
  // Copies what later patches read at the point to the host's memory. `value` may be on a device, for which this waits.
  void Save(HookPoint point, const at::Tensor& value);

  // The same for one sequence's value at a point that is by_run(), in the host's memory.
  void ApplyByRun(HookPoint point, size_t sequence, at::Tensor& value) const;
  void SaveByRun(HookPoint point, size_t sequence, const at::Tensor& value);

  // Marks the sequences that have edits at the point, or that patches read there.
  void MarkTouched(HookPoint point, std::vector<bool>& sequences) const;
  // All sequences, a patch's source before its readers.
  const std::vector<size_t>& SequencesInOrder() const { return in_order_; }

 private:
  // An edit, filed under the order of the point where it is made, or of the point that it reads.
  struct Entry {
    int64_t order = 0;
    size_t sequence = 0;  // the one that is edited, or read
    size_t source = 0;    // the sequence that a patch reads
    const Edit* edit = nullptr;
  };
  using Saved = std::map<std::pair<size_t, int64_t>, at::Tensor>;  // by sequence and order of the point

  void AddMember(const Plan& plan, size_t first_sequence);
  absl::Span<const Entry> EntriesOf(const std::vector<Entry>& entries, HookPoint point) const;
  int64_t OrderOf(HookPoint point) const { return ForwardOrder(point, model_.n_layer); }
  // Whether a patch reads at the place where it writes.
  bool ReadsHere(const Edit& edit) const { return OrderOf(edit.source.point) == OrderOf(edit.point); }
  // Makes the edit in one sequence's value; `source` is undefined unless it is a patch.
  void ApplyTo(const at::Tensor& value, const Edit& edit, const at::Tensor& source) const;
  const at::Tensor& SavedOf(const Entry& entry) const;
  at::Tensor RowsOf(const at::Tensor& value, size_t sequence) const;

  const BatchRows& rows_;
  const ModelInfo& model_;
  std::vector<Entry> edits_;  // by order; at one point in the plans' order
  std::vector<Entry> reads_;  // by the order of the point that is read
  std::vector<size_t> in_order_;
  Saved saved_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_TAPS_BATCH_EDITS_H_
