#include "server/core/plan.h"

#include <functional>
#include <numeric>

namespace hydrophone {

int64_t Capture::RowElements() const {
  return std::accumulate(row_shape.begin(), row_shape.end(), int64_t{1}, std::multiplies<>());
}

std::vector<int64_t> Capture::TensorShape(size_t i) const {
  const int64_t positions = reduction == Reduction::kNone ? rows_per_run[i] : 1;
  if (!keys_per_run.empty()) return {row_shape[0], positions, keys_per_run[i]};
  std::vector<int64_t> shape = {positions};
  shape.insert(shape.end(), row_shape.begin(), row_shape.end());
  return shape;
}

int64_t Capture::TensorElements(size_t i) const {
  const std::vector<int64_t> shape = TensorShape(i);
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

int64_t Capture::Elements() const {
  int64_t elements = 0;
  for (size_t i = 0; i < runs.size(); ++i) elements += TensorElements(i);
  return elements;
}

HookPoint Capture::CompleteAt() const {
  return readout != nullptr && readout->final_divergence ? LogitsPoint() : point;
}

namespace {

// The capture as it is in a plan that begins with run `first_run`, whose first row is `first_row`.
Capture MovedBack(Capture capture, uint32_t first_run, int64_t first_row) {
  for (uint32_t& run : capture.runs) run -= first_run;
  for (int64_t& row : capture.rows) row -= first_row;
  for (int64_t& row : capture.baseline_rows) row -= first_row;
  if (capture.contiguous && capture.row_count > 0) capture.first_row -= first_row;
  return capture;
}

}  // namespace

Plan PlanOf(const PlanSlice& slice, const Plan& plan) {
  Plan part;
  const auto holds = [&slice](uint32_t run) { return run >= slice.first_run && run < slice.end_run; };
  const int64_t first_row = plan.first_token[slice.first_run];
  for (uint32_t run = slice.first_run; run < slice.end_run; ++run) {
    part.runs.push_back(plan.runs[run]);
    part.first_token.push_back(plan.first_token[run] - first_row);
  }
  part.first_token.push_back(plan.first_token[slice.end_run] - first_row);
  for (size_t capture = slice.first_capture; capture < slice.end_capture; ++capture) {
    part.captures.push_back(MovedBack(plan.captures[capture], slice.first_run, first_row));
  }
  for (const Edit& edit : plan.edits) {
    if (!holds(edit.run)) continue;
    part.edits.push_back(edit);
    part.edits.back().run -= slice.first_run;
    if (edit.operation == Edit::Operation::kPatch) part.edits.back().source.run -= slice.first_run;
  }
  for (const uint32_t run : plan.run_order) {
    if (holds(run)) part.run_order.push_back(run - slice.first_run);
  }
  part.capture_bytes = slice.capture_bytes;
  return part;
}

}  // namespace hydrophone
