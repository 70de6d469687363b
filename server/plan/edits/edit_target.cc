#include "server/plan/edits/edit_target.h"

#include <cstddef>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/plan/inputs/positions.h"
#include "server/plan/select/layers.h"
#include "server/plan/select/units.h"

namespace hydrophone {
namespace {

void RefuseReadOnly(const HookPointInfo& info, const std::string& path, Violations* violations) {
  violations->Add(
      path, absl::StrCat("got ", info.name, ", which can be captured but not edited; expected ", info.edit_instead));
}

// The point that a name means, or the only one that a pattern matches.
absl::StatusOr<HookName> EditedPoint(const std::string& name, const ModelInfo& model) {
  absl::StatusOr<std::vector<HookName>> points = ParseHookNames(name, model);
  if (!points.ok()) return points.status();
  if (points->size() == 1) return (*std::move(points))[0];
  return absl::InvalidArgumentError(absl::StrCat("got a pattern that ", points->size(), " points match, ",
                                                 (*points)[0].info->name, " and ", (*points)[1].info->name,
                                                 " among them; expected one that a single point matches"));
}

// The edited layers. Unlike a selection's, they must be named.
std::vector<int> EditedLayers(const HookName& name, const v1::Intervention& intervention, const std::string& path,
                              const ModelInfo& model, Violations* violations) {
  const LayerPaths paths{absl::StrCat(path, ".hook_point"), absl::StrCat(path, ".layers")};
  const bool named = name.layer_kind != HookName::Layer::kAbsent || intervention.layers_size() > 0;
  if (!named && LayerCount(*name.info, model) > 0) {
    violations->Add(paths.layers, "got no layers, expected them here, or in hook_point a number, or \"*\" for all");
  }
  return ReadLayers(name, intervention.layers(), paths, model, violations);
}

void RefuseRepeated(const std::vector<int64_t>& positions, const std::string& path, Violations* violations) {
  absl::flat_hash_set<int64_t> seen;
  for (size_t i = 0; i < positions.size(); ++i) {
    if (seen.insert(positions[i]).second) continue;
    violations->Add(absl::StrCat(path, ".at[", i, "]"),
                    absl::StrCat("got position ", positions[i], " again, expected each position once"));
  }
}

// The edited positions. Refuses per_input, since a run has one input, and a selection of no positions, since an edit
// that edits nothing is a mistake.
std::vector<int64_t> EditedPositions(const v1::Intervention& intervention, const std::string& path, int64_t length,
                                     Violations* violations) {
  if (!intervention.has_positions()) {
    violations->Add(path, "got no positions, expected them named; slice \":\" means all");
    return {};
  }
  const v1::Positions& asked = intervention.positions();
  if (asked.per_input_size() > 0) {
    violations->Add(absl::StrCat(path, ".per_input"), "got per_input in an edit of one run, expected at or slice");
    return {};
  }
  const size_t before = violations->total();
  const SelectedRows rows = SelectRows(&asked, path, {length}, violations)[0];
  if (violations->total() > before) return {};
  if (rows.count() == 0) {
    violations->Add(absl::StrCat(path, ".slice"),
                    absl::StrCat("got \"", asked.slice(), "\", which is none of the run's ", length,
                                 " positions, expected at least one"));
  }
  std::vector<int64_t> positions;
  for (int64_t i = 0; i < rows.count(); ++i) positions.push_back(rows[i]);
  RefuseRepeated(positions, path, violations);
  return positions;
}

}  // namespace

std::optional<EditTarget> ReadEditTarget(const v1::Intervention& intervention, std::string path, const EditedRun& run,
                                         const ModelInfo& model, Violations* violations) {
  const size_t before = violations->total();
  EditTarget target;
  target.path = std::move(path);
  target.run = run;
  const std::string name_path = absl::StrCat(target.path, ".hook_point");
  const absl::StatusOr<HookName> name = EditedPoint(intervention.hook_point(), model);
  if (!name.ok()) {
    violations->Add(name_path, std::string(name.status().message()));
  } else if (target.info = name->info; !target.info->editable()) {
    RefuseReadOnly(*target.info, name_path, violations);
  } else {
    target.layers = EditedLayers(*name, intervention, target.path, model, violations);
    if (intervention.has_units()) {
      target.units = ReadUnits(intervention.units(), absl::StrCat(target.path, ".units"), *target.info, {run.length},
                               model, violations);
    }
  }
  target.positions = EditedPositions(intervention, absl::StrCat(target.path, ".positions"), run.length, violations);
  if (violations->total() > before) return std::nullopt;
  return target;
}

}  // namespace hydrophone
