#include "server/model/taps/taps.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <tuple>
#include <utility>

#include "server/model/batch/by_order.h"
#include "server/model/libtorch/transfers.h"
#include "server/model/taps/gather.h"
#include "server/model/taps/readout.h"

namespace hydrophone {
namespace {

TensorView ViewOf(at::Tensor tensor) {
  TensorView view;
  view.shape.assign(tensor.sizes().begin(), tensor.sizes().end());
  view.data = static_cast<const std::byte*>(tensor.const_data_ptr());
  view.owner = std::make_shared<const at::Tensor>(std::move(tensor));
  return view;
}

// A copy of the rows, on the value's device.
at::Tensor TakeRows(const at::Tensor& value, const std::vector<int64_t>& rows) {
  const at::Tensor host =
      at::from_blob(const_cast<int64_t*>(rows.data()), {static_cast<int64_t>(rows.size())}, at::kLong);
  return at::index_select(value, 0, ToDevice(host, value.device()));
}

// Whether the rows are one piece of the value's memory.
bool LieSideBySide(const at::Tensor& value, const std::vector<int64_t>& rows) {
  return !rows.empty() && value.is_contiguous() &&
         std::adjacent_find(rows.begin(), rows.end(), [](int64_t a, int64_t b) { return b != a + 1; }) == rows.end();
}

// The rows, as a view of the value's memory when they are one piece of it.
at::Tensor RowsOfValue(const at::Tensor& value, const std::vector<int64_t>& rows) {
  if (!LieSideBySide(value, rows)) return TakeRows(value, rows);
  return value.narrow(0, rows.front(), static_cast<int64_t>(rows.size()));
}

std::vector<int64_t> Counting(int64_t count) {
  std::vector<int64_t> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), int64_t{0});
  return numbers;
}

}  // namespace

Taps::Taps(absl::Span<const BatchMember> batch, const BatchRows& rows, const ModelInfo& model, TapFunctions functions)
    : batch_(batch), rows_(rows), model_(model), functions_(std::move(functions)), edits_(batch, rows, model) {
  for (size_t member = 0; member < batch.size(); ++member) {
    const Plan& plan = *batch[member].plan;
    int64_t deepest = -1;
    for (size_t capture = 0; capture < plan.captures.size(); ++capture) {
      const Capture& planned = plan.captures[capture];
      entries_.push_back({ForwardOrder(planned.point, model.n_layer), member, capture});
      deepest = std::max(deepest, ForwardOrder(planned.CompleteAt(), model.n_layer));
      if (HookPointOf(planned.CompleteAt()).logits()) complete_at_logits_.push_back(entries_.back());
    }
    deepest_.push_back(deepest);
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.order, a.member, a.capture) < std::tie(b.order, b.member, b.capture);
  });
}

absl::Span<const Taps::Entry> Taps::EntriesOf(HookPoint point) const {
  return EntriesAt(entries_, ForwardOrder(point, model_.n_layer));
}

std::vector<int64_t> Taps::RowsOf(const Entry& entry) const {
  const Capture& capture = CaptureOf(entry);
  std::vector<int64_t> rows(static_cast<size_t>(capture.row_count));
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = rows_.RowOf(entry.member, capture.Row(static_cast<int64_t>(i)));
  return rows;
}

std::vector<int64_t> Taps::BaselineRowsOf(const Entry& entry) const {
  std::vector<int64_t> rows = CaptureOf(entry).baseline_rows;
  for (int64_t& row : rows) row = rows_.RowOf(entry.member, row);
  return rows;
}

std::vector<uint32_t> Taps::NextTokens(const Entry& entry) const {
  const Capture& capture = CaptureOf(entry);
  const Plan& plan = *batch_[entry.member].plan;
  std::vector<uint32_t> next;
  int64_t row = 0;
  for (size_t i = 0; i < capture.runs.size(); ++i) {
    const std::vector<uint32_t>& tokens = plan.runs[capture.runs[i]].token_ids;
    for (uint32_t taken = 0; taken < capture.rows_per_run[i]; ++taken) {
      const int64_t position = capture.Row(row++) - plan.first_token[capture.runs[i]];
      next.push_back(tokens[static_cast<size_t>(position) + 1]);
    }
  }
  return next;
}

bool Taps::Wants(HookPoint point) const {
  if (edits_.IsRead(point)) return true;
  const absl::Span<const Entry> entries = EntriesOf(point);
  return std::any_of(entries.begin(), entries.end(), [this](const Entry& entry) { return !SinkOf(entry).Stopped(); });
}

bool Taps::Touches(HookPoint point) const { return edits_.Any(point) || Wants(point); }

at::Tensor Taps::EditAndGive(HookPoint point, at::Tensor value) {
  if (edits_.Any(point)) {
    at::Tensor edited = CopyInHost(value);
    edits_.Apply(point, edited);
    value = ToDevice(edited, value.device());
  }
  Give(point, value);
  return value;
}

template <typename Work>
void Taps::WithRows(const Entry& entry, const at::Tensor& value, std::vector<int64_t> rows, Work work) {
  if (functions_.copies == nullptr) return work(value, rows);
  functions_.copies->Fetch(RowsOfValue(value, rows), [this, entry, work = std::move(work)](const at::Tensor& host) {
    if (!SinkOf(entry).Stopped()) work(host, Counting(host.size(0)));
  });
}

void Taps::Give(HookPoint point, const at::Tensor& value) {
  if (functions_.copies != nullptr) functions_.copies->Poll();
  edits_.Save(point, value);
  for (const Entry& entry : EntriesOf(point)) {
    if (SinkOf(entry).Stopped()) continue;
    WithRows(entry, value, RowsOf(entry),
             [this, entry](const at::Tensor& host, const std::vector<int64_t>& rows) { SendRows(entry, host, rows); });
  }
}

void Taps::SendRows(const Entry& entry, const at::Tensor& value, const std::vector<int64_t>& rows) {
  const Capture& capture = CaptureOf(entry);
  if (capture.readout != nullptr) return SendLens(entry, value, rows);
  if (IsWholeRows(capture)) return SendWholeRows(entry, value, rows);
  Send(entry, Select(capture, value, rows));
}

bool Taps::IsWholeRows(const Capture& capture) const {
  return capture.units.all() && capture.reduction == Reduction::kNone && capture.projection == nullptr;
}

void Taps::SendWholeRows(const Entry& entry, const at::Tensor& value, const std::vector<int64_t>& rows) {
  if (!LieSideBySide(value, rows)) return Send(entry, TakeRows(value, rows));
  const at::Tensor taken = RowsOfValue(value, rows);
  const bool most_of_it = taken.nbytes() * 2 >= value.storage().nbytes();
  Send(entry, most_of_it ? taken : taken.clone());
}

void Taps::SendLens(const Entry& entry, const at::Tensor& value, const std::vector<int64_t>& rows) {
  const at::Tensor normed = functions_.final_layer_norm(TakeRows(value, rows));
  if (CaptureOf(entry).readout->final_divergence) {
    held_.emplace(std::pair(entry.member, entry.capture), normed);
  } else {
    SendReadout(entry, normed, at::Tensor());
  }
}

void Taps::SendReadout(const Entry& entry, const at::Tensor& normed, const at::Tensor& baseline_rows) {
  const Readout& readout = *CaptureOf(entry).readout;
  if (readout.kind == Readout::Kind::kLogits) return Send(entry, functions_.unembed(normed).contiguous());
  ReadoutRows rows{normed, baseline_rows, {}};
  if (readout.kind == Readout::Kind::kNextTokenLoss) rows.next_tokens = NextTokens(entry);
  Send(entry, ReadLogits(readout, rows, functions_.unembed));
}

void Taps::GiveComputed(HookPoint point, const std::function<at::Tensor(const at::Tensor& rows)>& compute) {
  for (const Entry& entry : EntriesOf(point)) {
    if (SinkOf(entry).Stopped()) continue;
    std::vector<int64_t> rows = RowsOf(entry);
    const at::Tensor value = compute(at::from_blob(rows.data(), {static_cast<int64_t>(rows.size())}, at::kLong));
    WithRows(entry, value, Counting(value.size(0)),
             [this, entry](const at::Tensor& host, const std::vector<int64_t>& all) {
               Send(entry, Select(CaptureOf(entry), host, all));
             });
  }
}

void Taps::GiveLogits(const at::Tensor& normed) {
  for (const Entry& entry : complete_at_logits_) {
    if (SinkOf(entry).Stopped()) continue;
    std::vector<int64_t> rows = RowsOf(entry);
    for (int64_t row : BaselineRowsOf(entry)) rows.push_back(row);
    WithRows(entry, normed, std::move(rows), [this, entry](const at::Tensor& host, const std::vector<int64_t>& taken) {
      SendLogits(entry, TakeRows(host, taken));
    });
  }
}

void Taps::SendLogits(const Entry& entry, const at::Tensor& normed) {
  const Capture& capture = CaptureOf(entry);
  const int64_t count = capture.row_count;
  const at::Tensor rows = normed.narrow(0, 0, count);
  if (capture.readout == nullptr) return Send(entry, Select(capture, functions_.unembed(rows), Counting(count)));
  if (capture.readout->final_divergence) {
    const auto held = held_.extract({entry.member, entry.capture});
    return SendReadout(entry, held.empty() ? rows : held.mapped(), rows);
  }
  const bool compares = !capture.baseline_rows.empty();
  SendReadout(entry, rows, compares ? normed.narrow(0, count, normed.size(0) - count) : at::Tensor());
}

at::Tensor Taps::Select(const Capture& capture, const at::Tensor& value, absl::Span<const int64_t> rows) const {
  const Grid grid = GridAt(capture.point, value, model_);
  return Project(capture, Reduce(Gather(grid, rows, capture.units), capture.rows_per_run, capture.reduction));
}

at::Tensor Taps::Project(const Capture& capture, const at::Tensor& picked) const {
  if (capture.projection == nullptr) return picked;
  const Projection& projection = *capture.projection;
  const at::Tensor vectors =
      at::from_blob(const_cast<float*>(projection.rows.data()), {projection.count, projection.width}, at::kFloat);
  const at::Tensor rows = picked.view({-1, picked.size(2)});
  // The probe has tried the kernels for the model's own widths only.
  const bool probed = capture.units.features.empty() && !HookPointOf(capture.point).square();
  const at::Tensor products = probed ? functions_.times_transposed(rows, vectors) : DotProducts(rows, vectors);
  return products.contiguous().view({picked.size(0), picked.size(1), projection.count});
}

void Taps::Send(const Entry& entry, const at::Tensor& values) {
  SinkOf(entry).OnCapture(entry.capture, ViewOf(values));
}

void Taps::SendInTurn(const Entry& entry, const at::Tensor& values) {
  if (functions_.copies == nullptr) return Send(entry, values);
  functions_.copies->Queue(values, [this, entry](const at::Tensor& host) {
    if (!SinkOf(entry).Stopped()) Send(entry, host);
  });
}

void Taps::Finish() {
  if (functions_.copies != nullptr) functions_.copies->Finish();
}

bool Taps::MemberReaches(size_t member, int64_t order) const {
  return deepest_[member] >= order && !batch_[member].sink->Stopped();
}

std::vector<bool> Taps::MembersReaching(HookPoint point) const {
  const int64_t order = ForwardOrder(point, model_.n_layer);
  std::vector<bool> reaching(batch_.size());
  for (size_t member = 0; member < batch_.size(); ++member) reaching[member] = MemberReaches(member, order);
  return reaching;
}

bool Taps::Reaches(HookPoint point) const {
  const int64_t order = ForwardOrder(point, model_.n_layer);
  for (size_t member = 0; member < batch_.size(); ++member) {
    if (MemberReaches(member, order)) return true;
  }
  return false;
}

}  // namespace hydrophone
