// The arithmetic of one edit on one run's value.
#ifndef HYDROPHONE_SERVER_MODEL_TAPS_APPLY_EDIT_H_
#define HYDROPHONE_SERVER_MODEL_TAPS_APPLY_EDIT_H_

#include "server/core/plan.h"
#include "server/model/taps/grid.h"

namespace hydrophone {

// Changes `value`, the edited run's, in place. `source` is read for kPatch alone: the source run's value at the
// source's point. It may lie in the same batch's memory as `value`, but must not be the same run's. The arithmetic is
// float32, sums are float64.
void ApplyEdit(const Edit& edit, const MutableGrid& value, const Grid& source);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_TAPS_APPLY_EDIT_H_
