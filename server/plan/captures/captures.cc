#include "server/plan/captures/captures.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/core/hook_points.h"
#include "server/plan/captures/capture_groups.h"
#include "server/plan/captures/values_size.h"
#include "server/plan/inputs/sizes.h"
#include "server/plan/select/row_form.h"
#include "server/plan/select/selection.h"

namespace hydrophone {
namespace {

using Form = CaptureFormat::Form;

// The lengths, in tokens, of the selected runs and of their baselines.
std::vector<int64_t> LengthsOf(const std::vector<SelectedRun>& selected, const RunTable& runs) {
  std::vector<int64_t> lengths;
  for (const SelectedRun& one : selected) {
    lengths.push_back(static_cast<int64_t>(runs.made[one.run].token_ids.size()));
    if (one.baseline.has_value()) lengths.push_back(static_cast<int64_t>(runs.made[*one.baseline].token_ids.size()));
  }
  return lengths;
}

// The size of a group at one layer.
struct GroupSize {
  uint64_t rows = 0;            // selected
  uint64_t elements = 0;        // handed over
  uint64_t longest_rows = 0;    // the most selected of one run
  uint64_t largest_tensor = 0;  // elements of the largest tensor that it is sent as
};

GroupSize SizeOf(const CaptureGroup& group, const Selector& selector, const RowForm& form, const RunTable& runs) {
  GroupSize size;
  for (const SelectedRun& selected : group.runs) {
    const auto rows = static_cast<uint64_t>(selected.rows.count());
    const uint64_t elements = ElementsOf(selected, selector, form, runs);
    size.rows = AddSizes(size.rows, rows);
    size.elements = AddSizes(size.elements, elements);
    size.longest_rows = std::max(size.longest_rows, rows);
    size.largest_tensor = std::max(size.largest_tensor, elements);
  }
  if (group.format.form == Form::kRows) size.largest_tensor = size.elements;
  return size;
}

class CapturePlanner {
 public:
  CapturePlanner(const RunTable& runs, const RequestContext& context, Violations* violations, ExtractCall* call)
      : runs_(runs), context_(context), violations_(violations), call_(call), scores_size_(context.tokenizer) {}

  absl::Status AddSelector(const Selector& selector) {
    AddSelected(selector);
    const std::vector<SelectedRun> selected = SelectRuns(selector, runs_, violations_);
    if (selector.layers.empty()) return absl::OkStatus();  // refused already
    const RowForm form = ReadRowForm(selector, LengthsOf(selected, runs_), context_.model, violations_);
    const std::vector<CaptureGroup> groups = GroupRuns(selector, selected, form, runs_, call_->layout, violations_);
    if (!violations_->empty()) return absl::OkStatus();
    for (const CaptureGroup& group : groups) {
      absl::Status status = AddGroup(group, selector, form);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Checks the sizes of all selectors so far.
  absl::Status CheckSizes(uint64_t max_response_bytes) const {
    const Limits& limits = context_.limits;
    if (max_response_bytes != 0 && call_->data_bytes > max_response_bytes) {
      return TooLarge("max_response_bytes", call_->data_bytes, max_response_bytes, "bytes");
    }
    if (call_->plan.capture_bytes > limits.max_response_bytes) {
      return TooLarge("hooks", call_->plan.capture_bytes, limits.max_response_bytes, "bytes of captured data");
    }
    if (positions_ > kMaxPositions) return TooLarge("hooks", positions_, kMaxPositions, "positions");
    if (comparisons_ > kMaxComparisons) return TooLarge("hooks", comparisons_, kMaxComparisons, "comparisons");
    return absl::OkStatus();
  }

  // Puts the captures into forward order and numbers their tensors.
  void Finish() {
    std::vector<Capture>& captures = call_->plan.captures;
    std::vector<std::pair<int64_t, size_t>> order;
    for (size_t i = 0; i < captures.size(); ++i) {
      order.emplace_back(ForwardOrder(captures[i].CompleteAt(), context_.model.n_layer), i);
    }
    std::sort(order.begin(), order.end());
    std::vector<Capture> sorted;
    std::vector<CaptureFormat> formats;
    for (const auto& [place, i] : order) {
      formats.push_back(std::move(call_->formats[i]));
      formats.back().first_tensor = call_->tensors;
      call_->tensors += formats.back().one_tensor() ? 1 : static_cast<uint32_t>(captures[i].runs.size());
      sorted.push_back(std::move(captures[i]));
    }
    captures = std::move(sorted);
    call_->formats = std::move(formats);
  }

 private:
  // Counts the selector's points for the header.
  void AddSelected(const Selector& selector) {
    std::vector<SelectedPoints>& selected = call_->selected;
    if (selected.size() == selector.number) selected.push_back({selector.asked_name, 0, 0});
    selected.back().points += static_cast<uint32_t>(selector.layers.size());
  }

  // Once the sizes exceed what is allowed, they are only summed up, so that the refusal can name them.
  absl::Status AddGroup(const CaptureGroup& group, const Selector& selector, const RowForm& form) {
    const GroupSize size = SizeOf(group, selector, form, runs_);
    if (absl::Status fits = CheckMessage(group, selector, size); !fits.ok()) return fits;
    Count(group.format, selector, size);
    if (!CheckSizes(/*max_response_bytes=*/0).ok()) return absl::OkStatus();

    Capture capture = CaptureOf(group, selector, form, runs_);
    capture.selector = selector.number;
    for (int layer : selector.layers) {
      capture.point = selector.info->At(layer);
      call_->plan.captures.push_back(capture);
      call_->formats.push_back(group.format);
    }
    return absl::OkStatus();
  }

  // Refuses a capture that is not sent in chunks and does not fit into one message.
  absl::Status CheckMessage(const CaptureGroup& group, const Selector& selector, const GroupSize& size) {
    const CaptureFormat& format = group.format;
    const uint64_t most = context_.limits.max_message_bytes;
    if (format.form == Form::kScores) {
      const uint64_t bytes = scores_size_.Bytes(*selector.readout, size.longest_rows, format.metric);
      if (bytes <= most) return absl::OkStatus();
      const bool lens = selector.readout->kind == Readout::Kind::kTokens;
      return TooLarge(selector.path, bytes, most,
                      lens ? "bytes for the scores of one run in one message (logit_lens.logits gives the logits as a "
                             "tensor, which may be larger)"
                           : "bytes for the scores of one run");
    }
    if (format.form == Form::kComparison) return absl::OkStatus();
    if (format.view == v1::VIEW_FLOATS && size.largest_tensor > kMaxFloats) {
      return TooLarge(absl::StrCat(selector.path, ".view"), size.largest_tensor, kMaxFloats, "elements");
    }
    if (format.summary != nullptr) {
      const uint64_t bytes = SummaryBytes(*format.summary, size.largest_tensor, group.runs.size());
      if (bytes > most) return TooLarge(absl::StrCat(selector.path, ".summary"), bytes, most, "bytes in one message");
    }
    return absl::OkStatus();
  }

  void Count(const CaptureFormat& format, const Selector& selector, const GroupSize& size) {
    const uint64_t layers = selector.layers.size();
    const uint64_t elements = MultiplySizes(size.elements, layers);
    uint64_t held = elements;
    // Quantiles sort a copy. Logits are reduced only when all of them are computed.
    if (format.summary != nullptr && format.summary->quantiles_size() > 0) held = AddSizes(held, elements);
    if (selector.info->logits() && selector.reduction != Reduction::kNone) {
      held = AddSizes(held, MultiplySizes(size.rows, static_cast<uint64_t>(context_.model.vocab_size)));
    }
    // The states that a lens compares with the logits wait for these.
    if (selector.readout != nullptr && selector.readout->final_divergence && !selector.info->logits()) {
      const auto width = static_cast<uint64_t>(context_.model.n_embd);
      held = AddSizes(held, MultiplySizes(MultiplySizes(size.rows, layers), width));
    }
    call_->plan.capture_bytes = AddSizes(call_->plan.capture_bytes, MultiplySizes(held, sizeof(float)));
    positions_ = AddSizes(positions_, MultiplySizes(size.rows, layers));
    if (format.form == Form::kComparison) comparisons_ += layers;

    const bool chunked = format.form == Form::kPerRun || format.form == Form::kRows;
    if (!chunked || format.view != v1::VIEW_BYTES) return;
    const uint64_t element = format.dtype == v1::DTYPE_FLOAT32 ? 4 : 2;
    const uint64_t bytes = MultiplySizes(elements, element);
    call_->data_bytes = AddSizes(call_->data_bytes, bytes);
    uint64_t& selected = call_->selected.back().data_bytes;
    selected = AddSizes(selected, bytes);
  }

  const RunTable& runs_;
  const RequestContext& context_;
  Violations* violations_;
  ExtractCall* call_;
  ScoresSize scores_size_;
  uint64_t positions_ = 0;  // of all captures
  uint64_t comparisons_ = 0;
};

// Bounds what planning itself costs, before it begins.
absl::Status CheckTensors(absl::Span<const Selector> selectors, const RunTable& runs, const Limits& limits) {
  uint64_t tensors = 0;
  for (const Selector& selector : selectors) {
    tensors = AddSizes(tensors, MultiplySizes(selector.layers.size(), MadeRuns(selector, runs)));
  }
  if (tensors <= limits.max_tensors_per_request) return absl::OkStatus();
  return TooLarge("hooks", tensors, limits.max_tensors_per_request, "tensors");
}

}  // namespace

absl::Status PlanCaptures(absl::Span<const Selector> selectors, const RunTable& runs, uint64_t max_response_bytes,
                          const RequestContext& context, Violations* violations, ExtractCall* call) {
  if (absl::Status status = CheckTensors(selectors, runs, context.limits); !status.ok()) return status;
  CapturePlanner planner(runs, context, violations, call);
  for (const Selector& selector : selectors) {
    if (absl::Status status = planner.AddSelector(selector); !status.ok()) return status;
  }
  if (!violations->empty()) return absl::OkStatus();
  if (absl::Status status = planner.CheckSizes(max_response_bytes); !status.ok()) return status;
  planner.Finish();
  return absl::OkStatus();
}

}  // namespace hydrophone
