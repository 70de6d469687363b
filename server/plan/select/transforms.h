// Reads what a selector makes of the values at its point, and in which form they are sent.
#ifndef HYDROPHONE_SERVER_PLAN_SELECT_TRANSFORMS_H_
#define HYDROPHONE_SERVER_PLAN_SELECT_TRANSFORMS_H_

#include "hydrophone/v1/extract.pb.h"
#include "server/core/errors.h"
#include "server/plan/inputs/extract_call.h"
#include "server/plan/select/selectors.h"

namespace hydrophone {

// Fills in the selector's units, reduction, projection, readout, view, dtype and summary; its path, point and
// layers are filled in already. `request` has the view and dtype of selectors that name none. Adds violations for
// fields that are wrong by themselves or contradict one another; what depends on the runs is checked when the captures
// are planned.
void ReadTransforms(const v1::HookSelector& hook, const v1::ExtractRequest& request, const RequestContext& context,
                    Violations* violations, Selector* selector);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_SELECT_TRANSFORMS_H_
