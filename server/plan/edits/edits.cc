#include "server/plan/edits/edits.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/plan/edits/edit_conflicts.h"
#include "server/plan/edits/edit_source.h"
#include "server/plan/edits/edit_target.h"
#include "server/plan/edits/edit_values.h"
#include "server/plan/edits/knock_outs.h"
#include "server/plan/inputs/positions.h"
#include "server/plan/inputs/run_order.h"

namespace hydrophone {
namespace {

std::vector<SourceRun> SourceRunsOf(const google::protobuf::RepeatedPtrField<v1::Run>& runs,
                                    const std::vector<PlannedInput>& inputs, const RunTable& table) {
  std::vector<SourceRun> sources;
  for (size_t i = 0; i < table.lengths.size() && !runs.empty(); ++i) {
    const uint32_t input = runs[static_cast<int>(i)].input();
    const bool skipped = input < inputs.size() && !inputs[input].skipped.empty();
    sources.push_back({table.lengths[i], table.made_index[i], skipped});
  }
  return sources;
}

bool IsOutright(Edit::Operation operation) {
  return operation == Edit::Operation::kZero || operation == Edit::Operation::kSet ||
         operation == Edit::Operation::kPatch;
}

// Reads interventions one by one.
class EditReader {
 public:
  EditReader(std::vector<SourceRun> sources, const RequestContext& context, Violations* violations)
      : sources_(std::move(sources)), context_(context), violations_(violations) {}

  void ReadRun(const v1::Run& run, const EditedRun& edited) {
    EditConflicts conflicts;
    KnockOuts knock_outs(context_.model);
    for (int i = 0; i < run.interventions_size(); ++i) {
      std::string path = absl::StrCat("runs[", edited.number, "].interventions[", i, "]");
      std::optional<EditTarget> target =
          ReadEditTarget(run.interventions(i), std::move(path), edited, context_.model, violations_);
      if (target.has_value()) ReadOperation(run.interventions(i), *target, &conflicts, &knock_outs);
    }
  }

  absl::Status CheckSizes() const {
    if (edit_count_ > context_.limits.max_tensors_per_request) {
      return TooLarge("runs", edit_count_, context_.limits.max_tensors_per_request, "edits, one a layer");
    }
    if (indices_ > kMaxEditIndices) {
      return TooLarge("runs", indices_, kMaxEditIndices, "positions, heads and features of all edits, at each layer");
    }
    return absl::OkStatus();
  }

  PlannedEdits Finish(size_t runs) {
    RunOrder order = OrderRuns(runs, reads_);
    if (!order.cycle.empty()) {
      RefuseCycle(order.cycle);
      return {};
    }
    SortEdits(order.runs);
    return {std::move(edits_), std::move(order.runs)};
  }

 private:
  // Which run a patch makes read which other run.
  struct Patch {
    std::string path;
    uint32_t reader = 0;  // the request's numbers
    uint32_t source = 0;
  };

  void ReadOperation(const v1::Intervention& intervention, const EditTarget& target, EditConflicts* conflicts,
                     KnockOuts* knock_outs) {
    Edit edit;
    edit.run = target.run.made;
    edit.positions = target.positions;
    edit.units = target.units;
    std::vector<HookPoint> sources;
    if (!FillOperation(intervention, target, &edit, &sources)) return;
    if (target.info->scores() && edit.values != nullptr) CheckKeys(edit, target, knock_outs);
    const std::string earlier = IsOutright(edit.operation) ? conflicts->Add(target) : "";
    if (!earlier.empty()) {
      violations_->Add(target.path, absl::StrCat("got an edit that sets elements which ", earlier,
                                                 " sets too; expected each element set once"));
    }
    AddEdits(edit, target, sources);
  }

  void CheckKeys(const Edit& edit, const EditTarget& target, KnockOuts* knock_outs) {
    const bool replaces = edit.operation == Edit::Operation::kSet;
    const std::string bare = knock_outs->Add(target, {edit.values, edit.strides}, replaces);
    if (bare.empty()) return;
    violations_->Add(absl::StrCat(target.path, replaces ? ".set" : ".add"),
                     absl::StrCat("got -inf for every key of ", bare, ", expected each query to keep one"));
  }

  // False after a violation. `sources`: for a patch, the point to read for each of the target's layers.
  bool FillOperation(const v1::Intervention& intervention, const EditTarget& target, Edit* edit,
                     std::vector<HookPoint>* sources) {
    switch (intervention.operation_case()) {
      case v1::Intervention::kZero:
        edit->operation = Edit::Operation::kZero;
        return true;
      case v1::Intervention::kPositionMean:
        edit->operation = Edit::Operation::kPositionMean;
        return true;
      case v1::Intervention::kScale:
        return FillScale(intervention.scale(), target, edit);
      case v1::Intervention::kAdd:
        edit->operation = Edit::Operation::kAdd;
        return FillValues(
            ReadEditValues(intervention.add(), absl::StrCat(target.path, ".add"), target, context_.model, violations_),
            edit);
      case v1::Intervention::kSet:
        edit->operation = Edit::Operation::kSet;
        return FillValues(
            ReadEditValues(intervention.set(), absl::StrCat(target.path, ".set"), target, context_.model, violations_),
            edit);
      case v1::Intervention::kProjectOut:
        edit->operation = Edit::Operation::kProjectOut;
        return FillValues(ReadDirection(intervention.project_out(), absl::StrCat(target.path, ".project_out"), target,
                                        context_.model, violations_),
                          edit);
      case v1::Intervention::kPatch:
        return FillPatch(intervention.patch(), target, edit, sources);
      case v1::Intervention::OPERATION_NOT_SET:
        break;
    }
    violations_->Add(target.path,
                     "got no operation, expected one of zero, scale, add, set, project_out, patch and position_mean");
    return false;
  }

  bool FillScale(float scale, const EditTarget& target, Edit* edit) {
    edit->operation = Edit::Operation::kScale;
    edit->scale = scale;
    if (std::isfinite(scale)) return true;
    violations_->Add(absl::StrCat(target.path, ".scale"), absl::StrCat("got ", scale, ", expected a finite number"));
    return false;
  }

  static bool FillValues(std::optional<EditValues> values, Edit* edit) {
    if (!values.has_value()) return false;
    edit->values = std::move(values->elements);
    edit->strides = values->strides;
    return true;
  }

  bool FillPatch(const v1::Source& patch, const EditTarget& target, Edit* edit, std::vector<HookPoint>* sources) {
    edit->operation = Edit::Operation::kPatch;
    std::optional<PatchSource> source =
        ReadPatchSource(patch, absl::StrCat(target.path, ".patch"), target, sources_, context_.model, violations_);
    if (!source.has_value()) return false;
    edit->source.run = source->made;
    edit->source.positions = std::move(source->positions);
    *sources = std::move(source->points);
    reads_.push_back({edit->run, edit->source.run});
    patches_.push_back({absl::StrCat(target.path, ".patch"), target.run.number, patch.run()});
    return true;
  }

  // Adds one edit for each layer. Beyond the limit edits are only counted, so that the refusal can say how many.
  void AddEdits(const Edit& edit, const EditTarget& target, const std::vector<HookPoint>& sources) {
    edit_count_ += target.layers.size();
    indices_ += target.layers.size() * (edit.positions.size() + edit.units.heads.size() + edit.units.features.size() +
                                        edit.source.positions.size());
    if (!CheckSizes().ok()) return;
    for (size_t i = 0; i < target.layers.size(); ++i) {
      Edit& added = edits_.emplace_back(edit);
      added.point = target.info->At(target.layers[i]);
      if (!sources.empty()) added.source.point = sources[i];
    }
  }

  void SortEdits(const std::vector<uint32_t>& run_order) {
    std::vector<size_t> place(run_order.size());
    for (size_t i = 0; i < run_order.size(); ++i) place[run_order[i]] = i;
    const auto key = [&](const Edit& edit) {
      return std::pair(ForwardOrder(edit.point, context_.model.n_layer), place[edit.run]);
    };
    std::stable_sort(edits_.begin(), edits_.end(), [&](const Edit& a, const Edit& b) { return key(a) < key(b); });
  }

  void RefuseCycle(const std::vector<size_t>& cycle) {
    const auto reads = [&](std::string* text, size_t read) {
      absl::StrAppend(text, patches_[read].reader, " reads run ", patches_[read].source);
    };
    violations_->Add(patches_[cycle[0]].path,
                     absl::StrCat("got patches in a circle, run ", absl::StrJoin(cycle, ", run ", reads),
                                  "; expected runs that do not depend on themselves"));
  }

  const std::vector<SourceRun> sources_;
  const RequestContext& context_;
  Violations* violations_;
  std::vector<Edit> edits_;
  std::vector<RunRead> reads_;
  std::vector<Patch> patches_;  // one for each of reads_
  uint64_t edit_count_ = 0;
  uint64_t indices_ = 0;
};

}  // namespace

absl::StatusOr<PlannedEdits> ReadEdits(const google::protobuf::RepeatedPtrField<v1::Run>& runs,
                                       const std::vector<PlannedInput>& inputs, const RunTable& table,
                                       const RequestContext& context, Violations* violations) {
  EditReader reader(SourceRunsOf(runs, inputs, table), context, violations);
  if (runs.empty()) return PlannedEdits();
  for (size_t made = 0; made < table.made.size(); ++made) {
    const uint32_t number = table.numbers[made];
    const v1::Run& run = runs[static_cast<int>(number)];
    if (run.interventions_size() > kMaxInterventions) {
      return TooLarge(absl::StrCat("runs[", number, "].interventions"), static_cast<uint64_t>(run.interventions_size()),
                      kMaxInterventions, "interventions of one run");
    }
    reader.ReadRun(run, {number, static_cast<uint32_t>(made), table.lengths[number]});
  }
  if (absl::Status sizes = reader.CheckSizes(); !sizes.ok()) return sizes;
  return reader.Finish(table.made.size());
}

}  // namespace hydrophone
