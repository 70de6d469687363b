// The part of Taps that deals with attention's scores and patterns, which come as one square for each sequence.
#include <ATen/ops/empty.h>

#include <utility>

#include "server/model/taps/gather.h"
#include "server/model/taps/taps.h"

namespace hydrophone {

void Taps::MarkSquares(HookPoint point, std::vector<bool>& sequences) const {
  edits_.MarkTouched(point, sequences);
  for (const Entry& entry : EntriesOf(point)) {
    const size_t first = rows_.FirstSequenceOf(entry.member);
    for (uint32_t run : CaptureOf(entry).runs) sequences[first + run] = true;
  }
}

bool Taps::EditSquare(HookPoint point, size_t sequence, at::Tensor& square) {
  if (!edits_.Any(point)) return false;
  edits_.ApplySquare(point, sequence, square);
  return true;
}

Taps::SquareCapture Taps::StartSquares(const Entry& entry) const {
  const Capture& capture = CaptureOf(entry);
  SquareCapture started{at::empty({capture.Elements()}, at::kFloat), {}};
  int64_t first_row = 0, element = 0;
  for (size_t i = 0; i < capture.runs.size(); ++i) {
    started.parts[rows_.FirstSequenceOf(entry.member) + capture.runs[i]].push_back({i, first_row, element});
    first_row += capture.rows_per_run[i];
    element += capture.TensorElements(i);
  }
  return started;
}

void Taps::GiveSquare(HookPoint point, size_t sequence, const at::Tensor& square) {
  edits_.SaveSquare(point, sequence, square);
  for (const Entry& entry : EntriesOf(point)) {
    auto under_way = squares_.find({entry.member, entry.capture});
    if (under_way == squares_.end()) {
      under_way = squares_.emplace(std::pair(entry.member, entry.capture), StartSquares(entry)).first;
    }
    const auto parts = under_way->second.parts.find(sequence);
    if (parts == under_way->second.parts.end()) continue;
    for (const SquarePart& part : parts->second) CopySquare(entry, part, square, under_way->second.values);
  }
}

void Taps::CopySquare(const Entry& entry, const SquarePart& part, const at::Tensor& square, at::Tensor& all) const {
  const Capture& capture = CaptureOf(entry);
  std::vector<int64_t> queries(capture.rows_per_run[part.run]);
  const int64_t first_token = batch_[entry.member].plan->first_token[capture.runs[part.run]];
  for (size_t i = 0; i < queries.size(); ++i) {
    queries[i] = capture.Row(part.first_row + static_cast<int64_t>(i)) - first_token;
  }
  const at::Tensor picked = Gather(GridOfSquare(square), queries, capture.units);  // [queries, heads, keys]
  const at::Tensor reduced = Reduce(picked, {&capture.rows_per_run[part.run], 1}, capture.reduction);
  const at::Tensor values = Project(capture, reduced).transpose(0, 1).contiguous();
  all.narrow(0, part.element, values.numel()).copy_(values.view({-1}));
}

void Taps::SendSquares(HookPoint point) {
  for (const Entry& entry : EntriesOf(point)) {
    const auto all = squares_.find({entry.member, entry.capture});
    if (all == squares_.end()) continue;
    if (!SinkOf(entry).Stopped()) SendInTurn(entry, all->second.values);
    squares_.erase(all);
  }
}

}  // namespace hydrophone
