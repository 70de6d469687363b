#include "server/plan/captures/captures.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/core/hook_points.h"
#include "server/plan/captures/capture_groups.h"
#include "server/plan/captures/capture_list.h"
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

// Whether a tensor of all runs' rows can be sent in pieces, run after run as they are computed.
bool MayBeCut(const CaptureGroup& group) {
  return group.format.view == v1::VIEW_BYTES &&
         std::is_sorted(group.runs.begin(), group.runs.end(),
                        [](const SelectedRun& a, const SelectedRun& b) { return a.run < b.run; });
}

// Joins the runs that the group's capture cannot do without.
void JoinRuns(const CaptureGroup& group, RunLinks* links) {
  std::vector<uint32_t> runs;
  for (const SelectedRun& selected : group.runs) {
    runs.push_back(selected.run);
    if (selected.baseline.has_value()) links->Join(selected.run, *selected.baseline);
  }
  const bool whole = group.format.form == Form::kComparison || (group.format.form == Form::kRows && !MayBeCut(group));
  if (whole) links->JoinAll(runs);
}

class CapturePlanner {
 public:
  CapturePlanner(const RunTable& runs, RunLinks links, const RequestContext& context, Violations* violations,
                 ExtractCall* call)
      : runs_(runs),
        context_(context),
        violations_(violations),
        call_(call),
        scores_size_(context.tokenizer),
        links_(std::move(links)),
        run_bytes_(runs.made.size()) {}

  // `selector` outlives this.
  absl::Status AddSelector(const Selector& selector) {
    AddSelected(selector);
    const std::vector<SelectedRun> selected = SelectRuns(selector, runs_, violations_);
    if (selector.layers.empty()) return absl::OkStatus();  // refused already
    const RowForm form = ReadRowForm(selector, LengthsOf(selected, runs_), context_.model, violations_);
    std::vector<CaptureGroup> groups = GroupRuns(selector, selected, form, runs_, call_->layout, violations_);
    if (!violations_->empty()) return absl::OkStatus();
    for (CaptureGroup& group : groups) {
      absl::Status status = AddGroup(std::move(group), selector, form);
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

  // Cuts the runs into slices and makes each slice's captures. INVALID_ARGUMENT (TOO_LARGE) when runs that cannot be
  // cut apart are too many.
  absl::Status Finish() {
    std::vector<PlanSlice> slices = CutIntoSlices(runs_.made, run_bytes_, links_, context_.limits);
    for (const PlanSlice& slice : slices) {
      if (absl::Status fits = CheckSlice(slice); !fits.ok()) return fits;
    }
    CaptureList list(runs_, context_.model, std::move(slices));
    for (const Asked& asked : asked_) list.Add(asked.group, *asked.selector, asked.form);
    list.Finish(call_);
    return absl::OkStatus();
  }

 private:
  // What a selector asks of a group of runs.
  struct Asked {
    CaptureGroup group;
    const Selector* selector;
    RowForm form;
  };

  // Counts the selector's points for the header.
  void AddSelected(const Selector& selector) {
    std::vector<SelectedPoints>& selected = call_->selected;
    if (selected.size() == selector.number) selected.push_back({selector.asked_name, 0, 0});
    selected.back().points += static_cast<uint32_t>(selector.layers.size());
  }

  // Once the sizes exceed what is allowed, they are only summed up, so that the refusal can name them.
  absl::Status AddGroup(CaptureGroup group, const Selector& selector, const RowForm& form) {
    const GroupSize size = SizeOf(group, selector, form, runs_);
    if (absl::Status fits = CheckMessage(group, selector, size); !fits.ok()) return fits;
    Count(group, selector, form, size);
    if (!CheckSizes(/*max_response_bytes=*/0).ok()) return absl::OkStatus();
    JoinRuns(group, &links_);
    asked_.push_back({std::move(group), &selector, form});
    return absl::OkStatus();
  }

  absl::Status CheckSlice(const PlanSlice& slice) const {
    const Limits& limits = context_.limits;
    const int64_t tokens = runs_.first_token[slice.end_run] - runs_.first_token[slice.first_run];
    if (tokens > limits.max_batch_tokens) {
      return TooLarge("runs", static_cast<uint64_t>(tokens), limits.max_batch_tokens,
                      "tokens of runs that must be computed together");
    }
    if (slice.capture_bytes > limits.response_budget_bytes) {
      return TooLarge("hooks", slice.capture_bytes, limits.response_budget_bytes,
                      "bytes captured of runs that must be computed together");
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

  void Count(const CaptureGroup& group, const Selector& selector, const RowForm& form, const GroupSize& size) {
    const CaptureFormat& format = group.format;
    const uint64_t layers = selector.layers.size();
    for (const SelectedRun& selected : group.runs) {
      const uint64_t bytes = MultiplySizes(HeldElements(format, selected, selector, form), sizeof(float));
      run_bytes_[selected.run] = AddSizes(run_bytes_[selected.run], bytes);
      call_->plan.capture_bytes = AddSizes(call_->plan.capture_bytes, bytes);
    }
    positions_ = AddSizes(positions_, MultiplySizes(size.rows, layers));
    if (format.form == Form::kComparison) comparisons_ += layers;

    const bool chunked = format.form == Form::kPerRun || format.form == Form::kRows;
    if (!chunked || format.view != v1::VIEW_BYTES) return;
    const uint64_t element = format.dtype == v1::DTYPE_FLOAT32 ? 4 : 2;
    const uint64_t bytes = MultiplySizes(MultiplySizes(size.elements, layers), element);
    call_->data_bytes = AddSizes(call_->data_bytes, bytes);
    uint64_t& selected = call_->selected.back().data_bytes;
    selected = AddSizes(selected, bytes);
  }

  // The elements that are held for one run at all layers, until they are sent.
  uint64_t HeldElements(const CaptureFormat& format, const SelectedRun& selected, const Selector& selector,
                        const RowForm& form) const {
    const uint64_t layers = selector.layers.size();
    const auto rows = static_cast<uint64_t>(selected.rows.count());
    const uint64_t elements = MultiplySizes(ElementsOf(selected, selector, form, runs_), layers);
    uint64_t held = elements;
    // Quantiles sort a copy. Logits are reduced only when all of them are computed.
    if (format.summary != nullptr && format.summary->quantiles_size() > 0) held = AddSizes(held, elements);
    if (selector.info->logits() && selector.reduction != Reduction::kNone) {
      held = AddSizes(held, MultiplySizes(rows, static_cast<uint64_t>(context_.model.vocab_size)));
    }
    // The states that a lens compares with the logits wait for these.
    if (selector.readout != nullptr && selector.readout->final_divergence && !selector.info->logits()) {
      const auto width = static_cast<uint64_t>(context_.model.n_embd);
      held = AddSizes(held, MultiplySizes(MultiplySizes(rows, layers), width));
    }
    return held;
  }

  const RunTable& runs_;
  const RequestContext& context_;
  Violations* violations_;
  ExtractCall* call_;
  ScoresSize scores_size_;
  RunLinks links_;
  std::vector<uint64_t> run_bytes_;  // what is captured of each run
  std::vector<Asked> asked_;
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

absl::Status PlanCaptures(absl::Span<const Selector> selectors, const RunTable& runs, RunLinks links,
                          uint64_t max_response_bytes, const RequestContext& context, Violations* violations,
                          ExtractCall* call) {
  if (absl::Status status = CheckTensors(selectors, runs, context.limits); !status.ok()) return status;
  CapturePlanner planner(runs, std::move(links), context, violations, call);
  for (const Selector& selector : selectors) {
    if (absl::Status status = planner.AddSelector(selector); !status.ok()) return status;
  }
  if (!violations->empty()) return absl::OkStatus();
  if (absl::Status status = planner.CheckSizes(max_response_bytes); !status.ok()) return status;
  return planner.Finish();
}

}  // namespace hydrophone
