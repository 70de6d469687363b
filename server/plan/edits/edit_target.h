// Reads what one intervention edits: the point, its layers, the run's positions, the units.
#ifndef HYDROPHONE_SERVER_PLAN_EDITS_EDIT_TARGET_H_
#define HYDROPHONE_SERVER_PLAN_EDITS_EDIT_TARGET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hydrophone/v1/input.pb.h"
#include "server/core/errors.h"
#include "server/core/hook_points.h"
#include "server/core/model_info.h"
#include "server/core/plan.h"

namespace hydrophone {

// The run that an intervention belongs to.
struct EditedRun {
  uint32_t number = 0;  // the request's
  uint32_t made = 0;    // place in Plan.runs
  int64_t length = 0;   // tokens
};

struct EditTarget {
  std::string path;  // "runs[1].interventions[0]"
  EditedRun run;
  const HookPointInfo* info = nullptr;  // a row of the catalogue
  std::vector<int> layers;              // {-1} outside the blocks
  std::vector<int64_t> positions;       // from the start, each once, at least one, in the order asked
  Units units;
};

// Adds violations, under `path`, for a point that does not exist or cannot be edited (naming the one to edit instead),
// and for layers, positions and units that are missing, out of range, or listed twice; then nullopt.
std::optional<EditTarget> ReadEditTarget(const v1::Intervention& intervention, std::string path, const EditedRun& run,
                                         const ModelInfo& model, Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_EDITS_EDIT_TARGET_H_
