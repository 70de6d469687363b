#include "server/plan/captures/capture_list.h"

#include <algorithm>

#include "server/core/hook_points.h"

namespace hydrophone {
namespace {

using Form = CaptureFormat::Form;

int64_t RowsSent(const CaptureGroup& group, Reduction reduction) {
  int64_t rows = 0;
  for (const SelectedRun& selected : group.runs) rows += reduction == Reduction::kNone ? selected.rows.count() : 1;
  return rows;
}

std::shared_ptr<const CaptureFormat::Whole> WholeOf(const CaptureGroup& group, Reduction reduction) {
  CaptureFormat::Whole whole;
  for (const SelectedRun& selected : group.runs) {
    whole.runs.push_back(selected.run);
    whole.rows_per_run.push_back(static_cast<uint32_t>(selected.rows.count()));
  }
  whole.rows = RowsSent(group, reduction);
  return std::make_shared<const CaptureFormat::Whole>(std::move(whole));
}

}  // namespace

CaptureList::CaptureList(const RunTable& runs, const ModelInfo& model, std::vector<PlanSlice> slices)
    : runs_(runs), model_(model), slices_(std::move(slices)), slice_of_(runs.made.size()), parts_(slices_.size()) {
  for (size_t slice = 0; slice < slices_.size(); ++slice) {
    for (uint32_t run = slices_[slice].first_run; run < slices_[slice].end_run; ++run) slice_of_[run] = slice;
  }
}

void CaptureList::Add(const CaptureGroup& group, const Selector& selector, const RowForm& form) {
  std::map<size_t, CaptureGroup> parts;  // by slice
  for (const SelectedRun& selected : group.runs) {
    parts.try_emplace(slice_of_[selected.run], CaptureGroup{{}, group.format}).first->second.runs.push_back(selected);
  }
  if (group.format.form == Form::kRows && parts.size() > 1) {
    const std::shared_ptr<const CaptureFormat::Whole> whole = WholeOf(group, selector.reduction);
    int64_t rows = 0;
    for (auto& [slice, part] : parts) {
      part.format.whole = whole;
      part.format.first_row = rows;
      part.format.continues = slice != parts.begin()->first;
      rows += RowsSent(part, selector.reduction);
    }
  }
  for (auto& [slice, part] : parts) parts_[slice].push_back({std::move(part), &selector, &form});
}

void CaptureList::AddCaptures(const Part& part, ExtractCall* call) const {
  Capture capture = CaptureOf(part.group, *part.selector, *part.form, runs_);
  capture.selector = part.selector->number;
  for (int layer : part.selector->layers) {
    capture.point = part.selector->info->At(layer);
    call->plan.captures.push_back(capture);
    call->formats.push_back(part.group.format);
  }
}

void CaptureList::Finish(ExtractCall* call) {
  for (size_t i = 0; i < slices_.size(); ++i) {
    PlanSlice slice = slices_[i];
    slice.first_capture = call->plan.captures.size();
    for (const Part& part : parts_[i]) AddCaptures(part, call);
    Sort(slice.first_capture, call);
    slice.end_capture = call->plan.captures.size();
    if (slice.end_capture > slice.first_capture) call->plan.slices.push_back(slice);
  }
  if (slices_.size() == 1) call->plan.slices.clear();
}

uint32_t CaptureList::NumberOf(const Capture& capture, const CaptureFormat& format, ExtractCall* call) {
  const uint32_t next = call->tensors;
  if (format.whole != nullptr) {
    const auto [known, first] = numbered_.emplace(std::pair(format.whole.get(), capture.point.layer), next);
    if (first) ++call->tensors;
    return known->second;
  }
  call->tensors += format.one_tensor() ? 1 : static_cast<uint32_t>(capture.runs.size());
  return next;
}

void CaptureList::Sort(size_t first_capture, ExtractCall* call) {
  std::vector<Capture>& captures = call->plan.captures;
  std::vector<std::pair<int64_t, size_t>> order;
  for (size_t i = first_capture; i < captures.size(); ++i) {
    order.emplace_back(ForwardOrder(captures[i].CompleteAt(), model_.n_layer), i);
  }
  std::sort(order.begin(), order.end());
  std::vector<Capture> sorted;
  std::vector<CaptureFormat> formats;
  for (const auto& [place, i] : order) {
    formats.push_back(std::move(call->formats[i]));
    formats.back().first_tensor = NumberOf(captures[i], formats.back(), call);
    sorted.push_back(std::move(captures[i]));
  }
  std::move(sorted.begin(), sorted.end(), captures.begin() + static_cast<std::ptrdiff_t>(first_capture));
  std::move(formats.begin(), formats.end(), call->formats.begin() + static_cast<std::ptrdiff_t>(first_capture));
}

}  // namespace hydrophone
