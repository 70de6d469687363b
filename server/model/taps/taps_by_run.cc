// The part of Taps that deals with values that come one run at a time.
#include <ATen/ops/empty.h>

#include <utility>

#include "server/model/taps/gather.h"
#include "server/model/taps/taps.h"

namespace hydrophone {

void Taps::MarkByRun(HookPoint point, std::vector<bool>& sequences) const {
  edits_.MarkTouched(point, sequences);
  for (const Entry& entry : EntriesOf(point)) {
    const size_t first = rows_.FirstSequenceOf(entry.member);
    for (uint32_t run : CaptureOf(entry).runs) sequences[first + run] = true;
  }
}

bool Taps::EditByRun(HookPoint point, size_t sequence, at::Tensor& value) {
  if (!edits_.Any(point)) return false;
  edits_.ApplyByRun(point, sequence, value);
  return true;
}

Taps::RunCapture Taps::StartRuns(const Entry& entry) const {
  const Capture& capture = CaptureOf(entry);
  RunCapture started{at::empty({capture.Elements()}, at::kFloat), {}};
  int64_t first_row = 0, element = 0;
  for (size_t i = 0; i < capture.runs.size(); ++i) {
    started.parts[rows_.FirstSequenceOf(entry.member) + capture.runs[i]].push_back({i, first_row, element});
    first_row += capture.rows_per_run[i];
    element += capture.TensorElements(i);
  }
  return started;
}

void Taps::GiveByRun(HookPoint point, size_t sequence, const at::Tensor& value) {
  edits_.SaveByRun(point, sequence, value);
  for (const Entry& entry : EntriesOf(point)) {
    auto under_way = by_run_.find({entry.member, entry.capture});
    if (under_way == by_run_.end()) {
      under_way = by_run_.emplace(std::pair(entry.member, entry.capture), StartRuns(entry)).first;
    }
    const auto parts = under_way->second.parts.find(sequence);
    if (parts == under_way->second.parts.end()) continue;
    for (const RunPart& part : parts->second) CopyRun(entry, part, value, under_way->second.values);
  }
}

void Taps::CopyRun(const Entry& entry, const RunPart& part, const at::Tensor& value, at::Tensor& all) const {
  const Capture& capture = CaptureOf(entry);
  std::vector<int64_t> positions(capture.rows_per_run[part.run]);
  const int64_t first_token = batch_[entry.member].plan->first_token[capture.runs[part.run]];
  for (size_t i = 0; i < positions.size(); ++i) {
    positions[i] = capture.Row(part.first_row + static_cast<int64_t>(i)) - first_token;
  }
  const Grid grid = GridAt(capture.point, value, model_);
  const at::Tensor picked = Gather(grid, positions, capture.units);  // [positions, heads, features]
  const at::Tensor reduced = Reduce(picked, {&capture.rows_per_run[part.run], 1}, capture.reduction);
  at::Tensor values = Project(capture, reduced);
  if (HookPointOf(capture.point).square()) values = values.transpose(0, 1).contiguous();
  all.narrow(0, part.element, values.numel()).copy_(values.view({-1}));
}

void Taps::SendByRun(HookPoint point) {
  for (const Entry& entry : EntriesOf(point)) {
    const auto all = by_run_.find({entry.member, entry.capture});
    if (all == by_run_.end()) continue;
    if (!SinkOf(entry).Stopped()) SendInTurn(entry, all->second.values);
    by_run_.erase(all);
  }
}

}  // namespace hydrophone
