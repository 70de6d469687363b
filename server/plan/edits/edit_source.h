// Reads where a patched value comes from: another run of the request.
#ifndef HYDROPHONE_SERVER_PLAN_EDITS_EDIT_SOURCE_H_
#define HYDROPHONE_SERVER_PLAN_EDITS_EDIT_SOURCE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hydrophone/v1/input.pb.h"
#include "server/core/errors.h"
#include "server/core/hook_points.h"
#include "server/core/model_info.h"
#include "server/plan/edits/edit_target.h"

namespace hydrophone {

// A run of the request that a patch may read.
struct SourceRun {
  int64_t length = 0;    // tokens; kNoRun when it is not made
  uint32_t made = 0;     // place in Plan.runs
  bool skipped = false;  // its input was skipped, not refused
};

struct PatchSource {
  uint32_t made = 0;
  std::vector<HookPoint> points;   // one for each of the target's layers
  std::vector<int64_t> positions;  // as many as the target's
};

// `runs` are the request's, by their numbers. Adds violations under `path` for a run that cannot be read, a point that
// is computed later than the edited one or has other heads or features, and positions that are out of range, too few or
// too many; then nullopt. Nullopt without a violation for a run whose input is refused: ReadInputs reports that.
std::optional<PatchSource> ReadPatchSource(const v1::Source& source, absl::string_view path, const EditTarget& target,
                                           absl::Span<const SourceRun> runs, const ModelInfo& model,
                                           Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_EDITS_EDIT_SOURCE_H_
