#include "server/plan/captures/capture_groups.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/hook_points.h"
#include "server/plan/inputs/sizes.h"

namespace hydrophone {
namespace {

using Form = CaptureFormat::Form;

int64_t LengthOf(uint32_t run, const RunTable& runs) { return static_cast<int64_t>(runs.made[run].token_ids.size()); }

CaptureFormat FormatOf(const Selector& selector, v1::Layout layout) {
  CaptureFormat format;
  format.form = layout == v1::LAYOUT_ROWS ? Form::kRows : Form::kPerRun;
  format.view = selector.view;
  format.dtype = selector.view == v1::VIEW_BYTES ? selector.dtype : v1::DTYPE_FLOAT32;
  format.summary = selector.summary;
  if (!selector.has_scores()) return format;
  format.form = Form::kScores;
  format.dtype = v1::DTYPE_FLOAT32;
  format.metric = selector.metric;
  return format;
}

CaptureGroup ComparisonOf(const SelectedRun& selected) {
  CaptureGroup group;
  group.runs = {{selected.run, selected.rows, std::nullopt, {}},
                {*selected.baseline, selected.baseline_rows, std::nullopt, {}}};
  group.format.form = Form::kComparison;
  return group;
}

void CheckKeys(const Selector& selector, const SelectedRun& selected, const RowForm& form, const RunTable& runs,
               Violations* violations) {
  const int64_t keys = form.KeysOf(LengthOf(selected.run, runs));
  const int64_t baseline_keys = form.KeysOf(LengthOf(*selected.baseline, runs));
  if (!form.square || keys == baseline_keys) return;
  violations->Add(selector.path,
                  absl::StrCat("got ", keys, " keys of run ", runs.numbers[selected.run], " and ", baseline_keys,
                               " of its baseline, run ", runs.numbers[*selected.baseline], ", expected as many"));
}

bool AreContiguous(const std::vector<int64_t>& rows) {
  return std::adjacent_find(rows.begin(), rows.end(), [](int64_t a, int64_t b) { return b != a + 1; }) == rows.end();
}

// Adds the numbers of a run's rows in the plan's matrix.
void AppendRows(uint32_t run, const SelectedRows& selected, const RunTable& runs, std::vector<int64_t>* rows) {
  for (int64_t row = 0; row < selected.count(); ++row) rows->push_back(runs.first_token[run] + selected[row]);
}

}  // namespace

std::vector<CaptureGroup> GroupRuns(const Selector& selector, const std::vector<SelectedRun>& selected,
                                    const RowForm& form, const RunTable& runs, v1::Layout layout,
                                    Violations* violations) {
  std::vector<CaptureGroup> groups(1);
  groups[0].format = FormatOf(selector, layout);
  for (const SelectedRun& one : selected) {
    if (selector.has_scores() || !one.baseline.has_value()) {
      groups[0].runs.push_back(one);
    } else {
      CheckKeys(selector, one, form, runs, violations);
      groups.push_back(ComparisonOf(one));
    }
  }
  if (groups[0].runs.empty()) {
    groups.erase(groups.begin());
  } else if (form.square && groups[0].format.form == Form::kRows) {
    violations->Add("layout", absl::StrCat("got LAYOUT_ROWS for ", selector.path, " (", selector.info->name,
                                           "), expected LAYOUT_PER_RUN: a row has as many keys as its run has tokens"));
  }
  return groups;
}

uint64_t ElementsOf(const SelectedRun& selected, const Selector& selector, const RowForm& form, const RunTable& runs) {
  const int64_t rows = selector.reduction == Reduction::kNone ? selected.rows.count() : 1;
  auto elements = static_cast<uint64_t>(rows);
  for (int64_t dimension : form.row_shape) elements = MultiplySizes(elements, static_cast<uint64_t>(dimension));
  if (!form.square) return elements;
  return MultiplySizes(elements, static_cast<uint64_t>(form.KeysOf(LengthOf(selected.run, runs))));
}

Capture CaptureOf(const CaptureGroup& group, const Selector& selector, const RowForm& form, const RunTable& runs) {
  Capture capture;
  for (const SelectedRun& selected : group.runs) {
    capture.runs.push_back(selected.run);
    capture.rows_per_run.push_back(static_cast<uint32_t>(selected.rows.count()));
    AppendRows(selected.run, selected.rows, runs, &capture.rows);
    if (selected.baseline.has_value()) {
      AppendRows(*selected.baseline, selected.baseline_rows, runs, &capture.baseline_rows);
    }
    if (form.square) capture.keys_per_run.push_back(form.KeysOf(LengthOf(selected.run, runs)));
  }
  capture.row_count = static_cast<int64_t>(capture.rows.size());
  capture.contiguous = AreContiguous(capture.rows);
  if (capture.contiguous) {
    capture.first_row = capture.rows.empty() ? 0 : capture.rows[0];
    capture.rows = {};
  }
  capture.units = form.units;
  capture.reduction = selector.reduction;
  capture.projection = selector.projection;
  capture.readout = selector.readout;
  capture.row_shape = form.row_shape;
  return capture;
}

}  // namespace hydrophone
