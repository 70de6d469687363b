// What a selector takes of each run: positions, and those of the run that it is compared with.
#ifndef HYDROPHONE_SERVER_PLAN_SELECT_SELECTION_H_
#define HYDROPHONE_SERVER_PLAN_SELECT_SELECTION_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "server/core/errors.h"
#include "server/plan/inputs/positions.h"
#include "server/plan/inputs/runs.h"
#include "server/plan/select/selectors.h"

namespace hydrophone {

struct SelectedRun {
  uint32_t run = 0;  // in plan.runs
  SelectedRows rows;

  // In plan.runs; only where the selector compares. The baseline's rows are those that the run's own selection takes of
  // it, as many as `rows`.
  std::optional<uint32_t> baseline;
  SelectedRows baseline_rows;
};

// The selector's runs that are made, in its order. Adds violations for positions that are out of range, for none to
// reduce, for the last one where a next token is needed, for a divergence without a baseline, and for other counts in
// run and baseline.
std::vector<SelectedRun> SelectRuns(const Selector& selector, const RunTable& runs, Violations* violations);

// How many of the selector's runs are made.
size_t MadeRuns(const Selector& selector, const RunTable& runs);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_SELECT_SELECTION_H_
