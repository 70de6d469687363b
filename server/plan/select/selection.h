// What a selector takes of each run: its positions, and the positions of the run that it is compared with.
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

  // The run to compare with, in plan.runs; only where the selector compares. baseline_rows are the rows that the same
  // positions select of the baseline, as many as `rows`.
  std::optional<uint32_t> baseline;
  SelectedRows baseline_rows;
};

// The selector's runs that are made, in its order. Adds violations for positions that are out of range, for a reduction
// of no positions, for the last position where a next token is needed, for a divergence without a baseline, and for a
// run and a baseline with different numbers of positions.
std::vector<SelectedRun> SelectRuns(const Selector& selector, const RunTable& runs, Violations* violations);

// How many of the selector's runs are made.
size_t MadeRuns(const Selector& selector, const RunTable& runs);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_SELECT_SELECTION_H_
