#include "server/model/taps/batch_edits.h"

#include <algorithm>

#include "server/model/batch/by_order.h"
#include "server/model/libtorch/transfers.h"
#include "server/model/taps/apply_edit.h"

namespace hydrophone {

BatchEdits::BatchEdits(absl::Span<const BatchMember> batch, const BatchRows& rows, const ModelInfo& model)
    : rows_(rows), model_(model) {
  for (size_t member = 0; member < batch.size(); ++member) {
    AddMember(*batch[member].plan, rows.FirstSequenceOf(member));
  }
  const auto by_order = [](const Entry& a, const Entry& b) { return a.order < b.order; };
  std::stable_sort(edits_.begin(), edits_.end(), by_order);
  std::stable_sort(reads_.begin(), reads_.end(), by_order);
}

void BatchEdits::AddMember(const Plan& plan, size_t first) {
  for (size_t run = 0; run < plan.runs.size(); ++run) {
    in_order_.push_back(first + (plan.run_order.empty() ? run : plan.run_order[run]));
  }
  for (const Edit& edit : plan.edits) {
    edits_.push_back({OrderOf(edit.point), first + edit.run, first + edit.source.run, &edit});
    if (edit.operation != Edit::Operation::kPatch) continue;
    reads_.push_back({OrderOf(edit.source.point), first + edit.source.run, first + edit.source.run, &edit});
  }
}

absl::Span<const BatchEdits::Entry> BatchEdits::EntriesOf(const std::vector<Entry>& entries, HookPoint point) const {
  return EntriesAt(entries, OrderOf(point));
}

void BatchEdits::MarkTouched(HookPoint point, std::vector<bool>& sequences) const {
  for (const Entry& entry : EntriesOf(edits_, point)) sequences[entry.sequence] = true;
  for (const Entry& entry : EntriesOf(reads_, point)) sequences[entry.sequence] = true;
}

at::Tensor BatchEdits::RowsOf(const at::Tensor& value, size_t sequence) const {
  return value.narrow(0, rows_.FirstRowOf(sequence), rows_.CountOf(sequence));
}

void BatchEdits::ApplyTo(const at::Tensor& value, const Edit& edit, const at::Tensor& source) const {
  const Grid read = source.defined() ? GridAt(edit.source.point, source, model_) : Grid{};
  ApplyEdit(edit, MutableGridAt(edit.point, value, model_), read);
}

void BatchEdits::Apply(HookPoint point, at::Tensor& value) const {
  for (const Entry& entry : EntriesOf(edits_, point)) {
    if (rows_.CountOf(entry.sequence) == 0) continue;  // its member has left the batch
    const Edit& edit = *entry.edit;
    at::Tensor source;
    if (edit.operation == Edit::Operation::kPatch) {
      source = ReadsHere(edit) ? RowsOf(value, entry.source) : SavedOf(entry);
    }
    ApplyTo(RowsOf(value, entry.sequence), edit, source);
  }
}

void BatchEdits::Save(HookPoint point, const at::Tensor& value) {
  for (const Entry& entry : EntriesOf(reads_, point)) {
    if (ReadsHere(*entry.edit) || rows_.CountOf(entry.sequence) == 0) {
      continue;  // the patch reads the value itself, or its member has left the batch
    }
    at::Tensor& saved = saved_[{entry.sequence, entry.order}];
    if (!saved.defined()) saved = CopyInHost(RowsOf(value, entry.sequence));
  }
}

void BatchEdits::ApplyByRun(HookPoint point, size_t sequence, at::Tensor& value) const {
  for (const Entry& entry : EntriesOf(edits_, point)) {
    if (entry.sequence != sequence) continue;
    const bool patch = entry.edit->operation == Edit::Operation::kPatch;
    ApplyTo(value, *entry.edit, patch ? SavedOf(entry) : at::Tensor());
  }
}

void BatchEdits::SaveByRun(HookPoint point, size_t sequence, const at::Tensor& value) {
  for (const Entry& entry : EntriesOf(reads_, point)) {
    if (entry.sequence != sequence) continue;
    at::Tensor& saved = saved_[{sequence, entry.order}];
    if (!saved.defined()) saved = value.clone();
  }
}

const at::Tensor& BatchEdits::SavedOf(const Entry& entry) const {
  return saved_.at({entry.source, OrderOf(entry.edit->source.point)});
}

}  // namespace hydrophone
