#include "server/plan/edits/edit_source.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/core/plan.h"
#include "server/plan/inputs/positions.h"
#include "server/plan/select/layers.h"

namespace hydrophone {
namespace {

// Names a point's heads and features in messages.
std::string GridText(const HookPointInfo& info, const ModelInfo& model) {
  if (info.square()) return absl::StrCat(info.name, " [heads, queries, keys]");
  return absl::StrCat(info.name, " of ", HeadCount(info, model), " x ", FeatureCount(info, model));
}

bool SameGrid(const HookPointInfo& a, const HookPointInfo& b, const ModelInfo& model) {
  return a.square() == b.square() && HeadCount(a, model) == HeadCount(b, model) &&
         FeatureCount(a, model) == FeatureCount(b, model);
}

class SourceReader {
 public:
  SourceReader(const v1::Source& source, absl::string_view path, const EditTarget& target, const ModelInfo& model,
               Violations* violations)
      : source_(source), path_(path), target_(target), model_(model), violations_(violations) {}

  std::optional<PatchSource> Read(absl::Span<const SourceRun> runs) {
    const size_t before = violations_->total();
    PatchSource patch;
    patch.points = Points();
    const SourceRun* run = Run(runs);
    if (run != nullptr) {
      patch.made = run->made;
      patch.positions = Positions(*run);
    }
    if (run == nullptr || violations_->total() > before) return std::nullopt;
    return patch;
  }

 private:
  void Refuse(absl::string_view field, std::string description) {
    violations_->Add(absl::StrCat(path_, field), std::move(description));
  }

  // The run to read; null when there is none.
  const SourceRun* Run(absl::Span<const SourceRun> runs) {
    const uint32_t number = source_.run();
    if (number >= runs.size()) {
      Refuse(".run", absl::StrCat("got ", number, ", expected an index below ", runs.size()));
    } else if (number == target_.run.number) {
      Refuse(".run", absl::StrCat("got ", number, ", the run itself, expected another run"));
    } else if (runs[number].length == kNoRun) {
      if (!runs[number].skipped) return nullptr;
      Refuse(".run", absl::StrCat("got ", number, ", whose input was skipped, expected a run that is made"));
    } else if (target_.info->square() && runs[number].length != target_.run.length) {
      Refuse(".run", absl::StrCat("got ", number, ", a run of ", runs[number].length, " tokens, expected one of ",
                                  target_.run.length, ", the edited run's: scores and patterns have a key for each"));
    } else {
      return &runs[number];
    }
    return nullptr;
  }

  std::vector<HookPoint> Points() {
    HookName name{target_.info, HookName::Layer::kAbsent, {}};
    if (!source_.hook_point().empty()) {
      const absl::StatusOr<HookName> parsed = ParseHookName(source_.hook_point());
      if (!parsed.ok()) {
        Refuse(".hook_point", std::string(parsed.status().message()));
        return {};
      }
      name = *parsed;
    }
    if (!SameGrid(*name.info, *target_.info, model_)) {
      Refuse(".hook_point", absl::StrCat("got ", GridText(*name.info, model_), ", expected the heads and features of ",
                                         GridText(*target_.info, model_)));
      return {};
    }
    std::vector<HookPoint> points;
    const std::optional<int> layer = Layer(name);
    if (!layer.has_value()) return points;
    for (int edited : target_.layers) points.push_back(name.info->At(*layer == kEditedLayer ? edited : *layer));
    CheckOrder(points);
    return points;
  }

  // The layer to read, kEditedLayer for the layer that is edited; nullopt after a violation.
  std::optional<int> Layer(const HookName& name) {
    const int count = LayerCount(*name.info, model_);
    if (name.layer_kind == HookName::Layer::kAll || name.layers.size() > 1) {
      Refuse(".hook_point", "got several layers, expected one; without a layer, the edited one");
    } else if (source_.has_layer() && (count == 0 || name.layer_kind == HookName::Layer::kGiven)) {
      Refuse(".layer", count == 0 ? "got a layer for a point outside the blocks, expected none"
                                  : "got a layer beside the one in the name, expected none");
    } else if (count == 0) {
      return -1;
    } else if (name.layer_kind == HookName::Layer::kGiven || source_.has_layer()) {
      return GivenLayer(name, count);
    } else if (target_.layers[0] < 0) {
      Refuse(".layer", "got no layer, expected one: the edited point has none");
    } else {
      return kEditedLayer;
    }
    return std::nullopt;
  }

  std::optional<int> GivenLayer(const HookName& name, int count) {
    const bool in_name = name.layer_kind == HookName::Layer::kGiven;
    const int layer = ReadLayer(in_name ? name.layers[0] : source_.layer(), count,
                                absl::StrCat(path_, in_name ? ".hook_point" : ".layer"), violations_);
    if (layer < 0) return std::nullopt;
    return layer;
  }

  // Refuses a point that is computed after the edited one: its value is not known yet when the edit is made.
  void CheckOrder(const std::vector<HookPoint>& points) {
    for (size_t i = 0; i < points.size(); ++i) {
      const HookPoint edited = target_.info->At(target_.layers[i]);
      if (ForwardOrder(points[i], model_.n_layer) <= ForwardOrder(edited, model_.n_layer)) continue;
      return Refuse(source_.hook_point().empty() ? ".layer" : ".hook_point",
                    absl::StrCat("got ", CanonicalName(points[i]), ", which is computed after ", CanonicalName(edited),
                                 "; expected a point computed no later than the edited one"));
    }
  }

  std::vector<int64_t> Positions(const SourceRun& run) {
    const std::string path = absl::StrCat(path_, ".positions");
    if (!source_.has_positions()) return SamePositions(run, path);
    if (source_.positions().per_input_size() > 0) {
      Refuse(".positions.per_input", "got per_input for one run, expected at or slice");
      return {};
    }
    const size_t before = violations_->total();
    const SelectedRows rows = SelectRows(&source_.positions(), path, {run.length}, violations_)[0];
    if (violations_->total() > before) return {};
    const size_t expected = target_.positions.size();
    if (static_cast<size_t>(rows.count()) != expected) {
      violations_->Add(
          path, absl::StrCat("got ", rows.count(), " positions, expected ", expected, ", as many as are edited"));
    }
    std::vector<int64_t> positions;
    for (int64_t i = 0; i < rows.count(); ++i) positions.push_back(rows[i]);
    return positions;
  }

  std::vector<int64_t> SamePositions(const SourceRun& run, const std::string& path) {
    const int64_t last = *std::max_element(target_.positions.begin(), target_.positions.end());
    if (last >= run.length) {
      violations_->Add(path, absl::StrCat("got none, so those edited, up to ", last, "; expected them below ",
                                          run.length, ", the source run's tokens"));
    }
    return target_.positions;
  }

  static constexpr int kEditedLayer = -2;

  const v1::Source& source_;
  const std::string path_;
  const EditTarget& target_;
  const ModelInfo& model_;
  Violations* violations_;
};

}  // namespace

std::optional<PatchSource> ReadPatchSource(const v1::Source& source, absl::string_view path, const EditTarget& target,
                                           absl::Span<const SourceRun> runs, const ModelInfo& model,
                                           Violations* violations) {
  return SourceReader(source, path, target, model, violations).Read(runs);
}

}  // namespace hydrophone
