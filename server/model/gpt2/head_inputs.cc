#include "server/model/gpt2/head_inputs.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>

#include <array>
#include <cstring>
#include <utility>

#include "server/model/libtorch/transfers.h"

namespace hydrophone {
namespace {

constexpr std::array<Site, 3> kParts = {Site::kQInput, Site::kKInput, Site::kVInput};

at::Tensor IndicesOnHost(const std::vector<int64_t>& numbers) {
  return at::from_blob(const_cast<int64_t*>(numbers.data()), {static_cast<int64_t>(numbers.size())}, at::kLong);
}

}  // namespace

void HeadInputs::Give(const at::Tensor& x, const std::vector<SequenceRows>& sequences) {
  std::vector<HookPoint> points = {{Site::kAttnIn, layer_}};
  for (const Site part : kParts) points.push_back({part, layer_});
  std::vector<bool> touched(sequences.size(), false);
  for (const HookPoint point : points) taps_.MarkByRun(point, touched);
  for (const size_t sequence : taps_.SequencesInOrder()) {
    if (!touched[sequence] || !taps_.IsGoingOn(sequence)) continue;
    const SequenceRows& rows = sequences[sequence];
    GiveRun(sequence, ToHost(x.narrow(0, rows.rows.front(), rows.count())), rows.rows.front());
  }
  for (const HookPoint point : points) taps_.SendByRun(point);
}

// x [s, d] is the run's part of the residual stream, in the host's memory.
void HeadInputs::GiveRun(size_t sequence, const at::Tensor& x, int64_t first_row) {
  at::Tensor shared = x.repeat({1, n_head_});  // [s, H d]
  bool edited = taps_.EditByRun({Site::kAttnIn, layer_}, sequence, shared);
  taps_.GiveByRun({Site::kAttnIn, layer_}, sequence, shared);
  for (size_t part = 0; part < kParts.size(); ++part) {
    const HookPoint point{kParts[part], layer_};
    at::Tensor copies = shared.clone();
    edited = taps_.EditByRun(point, sequence, copies) || edited;
    taps_.GiveByRun(point, sequence, copies);
    if (edited) Keep(static_cast<int64_t>(part), x, copies, first_row);
  }
}

void HeadInputs::Keep(int64_t part, const at::Tensor& x, const at::Tensor& copies, int64_t first_row) {
  const int64_t d = x.size(1);
  for (int64_t head = 0; head < n_head_; ++head) {
    const at::Tensor read = copies.narrow(1, head * d, d);
    std::vector<int64_t> positions;
    for (int64_t position = 0; position < x.size(0); ++position) {
      const float* before = x.const_data_ptr<float>() + position * x.stride(0);
      const float* after = read.const_data_ptr<float>() + position * read.stride(0);
      if (std::memcmp(before, after, static_cast<size_t>(d) * sizeof(float)) != 0) positions.push_back(position);
    }
    if (positions.empty()) continue;
    at::Tensor inputs = at::index_select(read, 0, IndicesOnHost(positions));
    for (int64_t& position : positions) position += first_row;
    changed_.push_back({part, head, std::move(positions), std::move(inputs)});
  }
}

void HeadInputs::Overwrite(const std::function<at::Tensor(const at::Tensor& rows)>& read, at::Tensor& qkv) const {
  const int64_t d = qkv.size(1) / 3, d_head = d / n_head_;
  for (const Changed& changed : changed_) {
    const int64_t column = changed.part * d + changed.head * d_head;
    const at::Tensor computed = read(ToDevice(changed.inputs, qkv.device()));
    const at::Tensor rows = ToDevice(IndicesOnHost(changed.rows), qkv.device());
    qkv.narrow(1, column, d_head).index_copy_(0, rows, computed.narrow(1, column, d_head));
  }
}

}  // namespace hydrophone
