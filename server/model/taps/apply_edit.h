// One edit's arithmetic on one run's value.
#ifndef HYDROPHONE_SERVER_MODEL_TAPS_APPLY_EDIT_H_
#define HYDROPHONE_SERVER_MODEL_TAPS_APPLY_EDIT_H_

#include "server/core/plan.h"
#include "server/model/taps/grid.h"

namespace hydrophone {

// Changes `value`, the edited run's, in place. `source`: for kPatch, the source run's value at the source's point; else
// not read. It may be the same memory as `value`'s batch, but not the same run's. Everything in float32 but for sums,
// which are float64.
void ApplyEdit(const Edit& edit, const MutableGrid& value, const Grid& source);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_TAPS_APPLY_EDIT_H_
