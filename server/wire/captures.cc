#include "server/wire/captures.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/hook_points.h"
#include "server/wire/positions.h"

namespace hydrophone {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

// Sums and products that stop at kMost: sizes that no limit allows.
uint64_t Add(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? kMost : sum;
}
uint64_t Multiply(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kMost : product;
}

// A selector's runs and what it takes of each.
struct Selection {
  std::vector<uint32_t> runs;      // in plan.runs
  std::vector<SelectedRows> rows;  // of each of them
  int64_t row_count = 0;
  int64_t longest = 0;  // the most rows that one run gives
};

size_t MadeRuns(const Selector& selector, const RunTable& runs) {
  if (selector.runs.empty()) return runs.made.size();
  auto made = [&](uint32_t number) {
    return number < runs.lengths.size() && runs.lengths[number] != kNoRun;
  };
  return static_cast<size_t>(std::count_if(selector.runs.begin(), selector.runs.end(), made));
}

Selection Select(const Selector& selector, const RunTable& runs, Violations* violations) {
  std::vector<uint32_t> numbers = selector.runs;
  if (numbers.empty()) {
    numbers.resize(runs.lengths.size());
    std::iota(numbers.begin(), numbers.end(), 0u);
  }
  std::vector<int64_t> lengths;
  for (uint32_t number : numbers)
    lengths.push_back(number < runs.lengths.size() ? runs.lengths[number] : kNoRun);
  std::vector<SelectedRows> rows = SelectRows(
      selector.positions, absl::StrCat(selector.path, ".positions"), lengths, violations);

  Selection selection;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (lengths[i] == kNoRun) continue;
    selection.runs.push_back(runs.made_index[numbers[i]]);
    selection.rows.push_back(rows[i]);
    selection.row_count += rows[i].count();
    selection.longest = std::max(selection.longest, rows[i].count());
  }
  return selection;
}

bool AreContiguous(const std::vector<int64_t>& rows) {
  return std::adjacent_find(rows.begin(), rows.end(),
                            [](int64_t a, int64_t b) { return b != a + 1; }) == rows.end();
}

// All of a capture but the point.
Capture CaptureOf(const Selection& selection, uint32_t selector, std::vector<int64_t> row_shape,
                  const RunTable& runs) {
  Capture capture;
  capture.selector = selector;
  capture.runs = selection.runs;
  capture.row_count = selection.row_count;
  capture.row_shape = std::move(row_shape);
  capture.rows.reserve(static_cast<size_t>(selection.row_count));
  for (size_t i = 0; i < selection.runs.size(); ++i) {
    const SelectedRows& selected = selection.rows[i];
    capture.rows_per_run.push_back(static_cast<uint32_t>(selected.count()));
    for (int64_t row = 0; row < selected.count(); ++row) {
      capture.rows.push_back(runs.first_token[selection.runs[i]] + selected[row]);
    }
  }
  capture.contiguous = AreContiguous(capture.rows);
  if (capture.contiguous) {
    capture.first_row = capture.rows.empty() ? 0 : capture.rows[0];
    capture.rows = {};
  }
  return capture;
}

class CapturePlanner {
 public:
  CapturePlanner(const RunTable& runs, const RequestContext& context, Violations* violations,
                 ExtractCall* call)
      : runs_(runs), context_(context), violations_(violations), call_(call) {}

  // Once the sizes exceed what is allowed, they are only summed up, so that the refusal can name
  // them.
  absl::Status AddSelector(const Selector& selector, uint32_t number) {
    Selection selection = Select(selector, runs_, violations_);
    if (!violations_->empty() || selection.runs.empty()) return absl::OkStatus();
    auto row_width = static_cast<uint64_t>(RowWidth(selector.site, context_.model));
    uint64_t elements = Multiply(static_cast<uint64_t>(selection.row_count), row_width);
    if (selector.view == v1::VIEW_FLOATS) {
      bool rows = call_->layout == v1::LAYOUT_ROWS;
      uint64_t most =
          rows ? elements : Multiply(static_cast<uint64_t>(selection.longest), row_width);
      if (most > kMaxFloats)
        return TooLarge(absl::StrCat(selector.path, ".view"), most, kMaxFloats, "elements");
    }
    uint64_t bytes = Multiply(Multiply(elements, sizeof(float)), selector.layers.size());
    call_->plan.capture_bytes = Add(call_->plan.capture_bytes, bytes);
    if (selector.view == v1::VIEW_BYTES) call_->data_bytes = Add(call_->data_bytes, bytes);
    if (call_->plan.capture_bytes > context_.limits.max_response_bytes) return absl::OkStatus();

    Capture capture = CaptureOf(selection, number, RowShape(selector.site, context_.model), runs_);
    for (int layer : selector.layers) {
      capture.point = {selector.site, layer};
      call_->plan.captures.push_back(capture);
      call_->formats.push_back({selector.view});
    }
    return absl::OkStatus();
  }

  // Puts the captures into forward order and numbers their tensors.
  void Finish() {
    const std::vector<Capture>& captures = call_->plan.captures;
    std::vector<std::pair<int64_t, size_t>> order;
    for (size_t i = 0; i < captures.size(); ++i) {
      order.emplace_back(ForwardOrder(captures[i].point, context_.model.n_layer), i);
    }
    std::sort(order.begin(), order.end());
    std::vector<Capture> sorted;
    std::vector<CaptureFormat> formats;
    for (const auto& [place, i] : order) {
      formats.push_back({call_->formats[i].view, call_->tensors});
      call_->tensors +=
          call_->layout == v1::LAYOUT_ROWS ? 1 : static_cast<uint32_t>(captures[i].runs.size());
      sorted.push_back(std::move(call_->plan.captures[i]));
    }
    call_->plan.captures = std::move(sorted);
    call_->formats = std::move(formats);
  }

 private:
  const RunTable& runs_;
  const RequestContext& context_;
  Violations* violations_;
  ExtractCall* call_;
};

// Bounds what planning itself costs, before any of it is done.
absl::Status CheckTensors(absl::Span<const Selector> selectors, const RunTable& runs,
                          const Limits& limits) {
  uint64_t tensors = 0;
  for (const Selector& selector : selectors) {
    tensors = Add(tensors, Multiply(selector.layers.size(), MadeRuns(selector, runs)));
  }
  if (tensors <= limits.max_tensors_per_request) return absl::OkStatus();
  return TooLarge("hooks", tensors, limits.max_tensors_per_request, "tensors");
}

absl::Status CheckBytes(const ExtractCall& call, uint64_t max_response_bytes,
                        const Limits& limits) {
  if (max_response_bytes != 0 && call.data_bytes > max_response_bytes) {
    return TooLarge("max_response_bytes", call.data_bytes, max_response_bytes, "bytes");
  }
  if (call.plan.capture_bytes <= limits.max_response_bytes) return absl::OkStatus();
  return TooLarge("hooks", call.plan.capture_bytes, limits.max_response_bytes,
                  "bytes of captured data");
}

}  // namespace

absl::Status PlanCaptures(absl::Span<const Selector> selectors, const RunTable& runs,
                          uint64_t max_response_bytes, const RequestContext& context,
                          Violations* violations, ExtractCall* call) {
  if (absl::Status status = CheckTensors(selectors, runs, context.limits); !status.ok())
    return status;
  CapturePlanner planner(runs, context, violations, call);
  for (size_t i = 0; i < selectors.size(); ++i) {
    absl::Status status = planner.AddSelector(selectors[i], static_cast<uint32_t>(i));
    if (!status.ok()) return status;
  }
  if (!violations->empty()) return absl::OkStatus();
  if (absl::Status status = CheckBytes(*call, max_response_bytes, context.limits); !status.ok())
    return status;
  planner.Finish();
  return absl::OkStatus();
}

}  // namespace hydrophone
