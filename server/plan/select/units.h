// Reads which heads and features of a hook point a request means: v1::Units, read.
#ifndef HYDROPHONE_SERVER_PLAN_SELECT_UNITS_H_
#define HYDROPHONE_SERVER_PLAN_SELECT_UNITS_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hydrophone/v1/input.pb.h"
#include "server/core/errors.h"
#include "server/core/hook_points.h"
#include "server/core/model_info.h"
#include "server/core/plan.h"

namespace hydrophone {

// The units that `units` selects, counted from the start. Adds a violation under `path` for each unit that is out
// of range or listed twice, for heads of a point without heads, and when no units are listed; the result is then
// meaningless.
//
// `lengths`: the tokens of each run that the units apply to, kNoRun for one that is not made. The features of scores
// and patterns are keys, and a run has as many as tokens: each key must be in the shortest run, and where runs differ
// in length, keys cannot be counted from the end. Other points do not read `lengths`.
Units ReadUnits(const v1::Units& units, absl::string_view path, const HookPointInfo& info,
                absl::Span<const int64_t> lengths, const ModelInfo& model, Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_SELECT_UNITS_H_
