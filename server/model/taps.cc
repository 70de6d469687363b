#include "server/model/taps.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

namespace hydrophone {
namespace {

TensorView ViewOf(at::Tensor tensor) {
  TensorView view;
  view.shape.assign(tensor.sizes().begin(), tensor.sizes().end());
  view.data = static_cast<const std::byte*>(tensor.const_data_ptr());
  view.owner = std::make_shared<const at::Tensor>(std::move(tensor));
  return view;
}

at::Tensor SelectedRows(const at::Tensor& value, int64_t first_token, const Capture& capture) {
  if (!capture.contiguous) {
    std::vector<int64_t> rows = capture.rows;
    for (int64_t& row : rows) row += first_token;
    return at::index_select(value, 0, at::from_blob(rows.data(), {static_cast<int64_t>(rows.size())}, at::kLong));
  }
  at::Tensor rows = value.narrow(0, first_token + capture.first_row, capture.row_count);
  const bool most_of_it = rows.nbytes() * 2 >= value.storage().nbytes();
  return most_of_it ? rows : rows.clone();
}

}  // namespace

Taps::Taps(absl::Span<const BatchMember> batch, int n_layer) : batch_(batch), n_layer_(n_layer) {
  int64_t first_token = 0;
  for (size_t member = 0; member < batch.size(); ++member) {
    const Plan& plan = *batch[member].plan;
    int blocks = 0;
    for (size_t capture = 0; capture < plan.captures.size(); ++capture) {
      const HookPoint point = plan.captures[capture].point;
      entries_.push_back({ForwardOrder(point, n_layer), member, capture});
      blocks = std::max(blocks, hydrophone::BlocksNeeded(point, n_layer));
    }
    first_token_.push_back(first_token);
    blocks_needed_.push_back(blocks);
    first_token += plan.tokens();
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.order, a.member, a.capture) < std::tie(b.order, b.member, b.capture);
  });
}

absl::Span<const Taps::Entry> Taps::EntriesOf(HookPoint point) const {
  struct ByOrder {
    bool operator()(const Entry& entry, int64_t order) const { return entry.order < order; }
    bool operator()(int64_t order, const Entry& entry) const { return order < entry.order; }
  };
  const auto range = std::equal_range(entries_.begin(), entries_.end(), ForwardOrder(point, n_layer_), ByOrder());
  return absl::MakeConstSpan(entries_).subspan(static_cast<size_t>(range.first - entries_.begin()),
                                               static_cast<size_t>(range.second - range.first));
}

bool Taps::Wants(HookPoint point) const {
  const absl::Span<const Entry> entries = EntriesOf(point);
  return std::any_of(entries.begin(), entries.end(),
                     [this](const Entry& entry) { return !MemberOf(entry).sink->Stopped(); });
}

void Taps::Give(HookPoint point, const at::Tensor& value) {
  for (const Entry& entry : EntriesOf(point)) {
    const BatchMember& member = MemberOf(entry);
    if (member.sink->Stopped()) continue;
    const Capture& capture = member.plan->captures[entry.capture];
    member.sink->OnCapture(entry.capture, ViewOf(SelectedRows(value, first_token_[entry.member], capture)));
  }
}

int Taps::BlocksNeeded() const {
  int blocks = -1;
  for (size_t member = 0; member < batch_.size(); ++member) {
    if (!batch_[member].sink->Stopped()) blocks = std::max(blocks, blocks_needed_[member]);
  }
  return blocks;
}

}  // namespace hydrophone
