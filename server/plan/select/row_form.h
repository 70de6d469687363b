// What becomes of a selected row: units are taken of it, then it is projected or read out, which gives its dimensions.
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

  // Scores and patterns: how many keys a row keeps, where that does not depend on the run's length.
  bool square = false;
  std::optional<int64_t> keys;

  // How many keys a row keeps in a run of `length` tokens.
  int64_t KeysOf(int64_t length) const { return keys.value_or(length); }
};

// `lengths`: tokens of the selector's runs and of their baselines. Adds violations for units that the point does
// not have, and for a projection whose width is not the number of features that the units select. The selector has a
// point (its layers are not empty).
RowForm ReadRowForm(const Selector& selector, absl::Span<const int64_t> lengths, const ModelInfo& model,
                    Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_SELECT_ROW_FORM_H_
