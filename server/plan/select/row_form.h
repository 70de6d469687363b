// What becomes of a selected row: its units, its projection or readout, and so its dimensions.
#ifndef HYDROPHONE_SERVER_PLAN_SELECT_ROW_FORM_H_
#define HYDROPHONE_SERVER_PLAN_SELECT_ROW_FORM_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "server/core/errors.h"
#include "server/core/model_info.h"
#include "server/core/plan.h"
#include "server/plan/select/selectors.h"

namespace hydrophone {

struct RowForm {
  Units units;
  std::vector<int64_t> row_shape;  // as in Capture

  // Scores and patterns: how many keys are left of a row, where that does not depend on the run's length.
  bool square = false;
  std::optional<int64_t> keys;

  // Keys that are left in a run of so many tokens.
  int64_t KeysOf(int64_t length) const { return keys.value_or(length); }
};

// `lengths`: tokens of the selector's runs and of their baselines. Adds violations for units that are not there, and
// for a projection of another width than what is left. The selector has a point (its layers are not empty).
RowForm ReadRowForm(const Selector& selector, absl::Span<const int64_t> lengths, const ModelInfo& model,
                    Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_SELECT_ROW_FORM_H_
