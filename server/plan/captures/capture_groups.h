// What one selector asks for at each of its layers, in the groups of runs that make one capture each.
#ifndef HYDROPHONE_SERVER_PLAN_CAPTURES_CAPTURE_GROUPS_H_
#define HYDROPHONE_SERVER_PLAN_CAPTURES_CAPTURE_GROUPS_H_

#include <cstdint>
#include <vector>

#include "server/core/errors.h"
#include "server/core/plan.h"
#include "server/plan/inputs/extract_call.h"
#include "server/plan/inputs/runs.h"
#include "server/plan/select/row_form.h"
#include "server/plan/select/selection.h"
#include "server/plan/select/selectors.h"

namespace hydrophone {

struct CaptureGroup {
  std::vector<SelectedRun> runs;  // kComparison: the run, then its baseline
  CaptureFormat format;
};

// One group of all runs that are sent as they are, then a comparison for each run that has a baseline. Adds violations
// for scores and patterns in LAYOUT_ROWS, and for scores and patterns that are compared with different numbers of keys.
std::vector<CaptureGroup> GroupRuns(const Selector& selector, const std::vector<SelectedRun>& selected,
                                    const RowForm& form, const RunTable& runs, v1::Layout layout,
                                    Violations* violations);

// How many elements of one run are handed over at one layer.
uint64_t ElementsOf(const SelectedRun& selected, const Selector& selector, const RowForm& form, const RunTable& runs);

// The group's capture, all but the point.
Capture CaptureOf(const CaptureGroup& group, const Selector& selector, const RowForm& form, const RunTable& runs);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_CAPTURES_CAPTURE_GROUPS_H_
