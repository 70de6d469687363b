#include "client/cpp/request_parts.h"

#include <algorithm>
#include <utility>

#include "google/protobuf/repeated_field.h"

namespace hydrophone::client {
namespace {

using RunList = google::protobuf::RepeatedField<uint32_t>;

// The lists of runs that selectors and metrics name.
std::vector<const RunList*> NamedRuns(const v1::ExtractRequest& request) {
  std::vector<const RunList*> lists;
  for (const v1::HookSelector& hook : request.hooks()) lists.push_back(&hook.runs());
  for (const v1::Metric& metric : request.metrics()) lists.push_back(&metric.runs());
  lists.erase(std::remove_if(lists.begin(), lists.end(), [](const RunList* list) { return list->empty(); }),
              lists.end());
  return lists;
}

bool ListsPositionsRunByRun(const v1::ExtractRequest& request) {
  const auto lists = [](const auto& selector) { return selector.positions().per_input_size() > 0; };
  return std::any_of(request.hooks().begin(), request.hooks().end(), lists) ||
         std::any_of(request.metrics().begin(), request.metrics().end(), lists);
}

bool IsInside(uint32_t run, const RequestPart& part) {
  return run >= part.first_run && run - part.first_run < part.runs;
}

bool CanBeNamedIn(const std::vector<RequestPart>& parts, const RunList& runs) {
  if (!std::is_sorted(runs.begin(), runs.end())) return false;
  return std::all_of(parts.begin(), parts.end(), [&](const RequestPart& part) {
    return std::any_of(runs.begin(), runs.end(), [&](uint32_t run) { return IsInside(run, part); });
  });
}

RequestPart Whole(const v1::ExtractRequest& request) {
  const auto inputs = static_cast<uint32_t>(request.inputs_size());
  return {0, inputs, 0, request.runs().empty() ? inputs : static_cast<uint32_t>(request.runs_size())};
}

// The inputs that a run needs: its own, its baseline's and its sources'.
struct Reach {
  uint32_t first = 0;
  uint32_t last = 0;
  bool valid = true;  // false when the request names a run or an input that it does not have
};

Reach ReachOf(const v1::Run& run, const v1::ExtractRequest& request) {
  Reach reach{run.input(), run.input()};
  const auto include_run = [&](uint32_t index) {
    reach.valid &= index < static_cast<uint32_t>(request.runs_size());
    if (!reach.valid) return;
    const uint32_t input = request.runs(static_cast<int>(index)).input();
    reach.first = std::min(reach.first, input);
    reach.last = std::max(reach.last, input);
  };
  if (run.has_baseline()) include_run(run.baseline());
  for (const v1::Intervention& edit : run.interventions()) {
    if (edit.has_patch()) include_run(edit.patch().run());
  }
  reach.valid &= reach.last < static_cast<uint32_t>(request.inputs_size());
  return reach;
}

// A request can be cut between two runs when all inputs that the runs before the cut need come before those that the
// runs after it need.
std::vector<RequestPart> CutBetweenRuns(const v1::ExtractRequest& request) {
  std::vector<Reach> reaches;
  for (const v1::Run& run : request.runs()) {
    reaches.push_back(ReachOf(run, request));
    if (!reaches.back().valid) return {Whole(request)};
  }
  std::vector<uint32_t> first_after(reaches.size());  // the first input that this run or a later one needs
  uint32_t first = static_cast<uint32_t>(request.inputs_size());
  for (size_t run = reaches.size(); run-- > 0;) first_after[run] = first = std::min(first, reaches[run].first);

  std::vector<RequestPart> parts(1);
  uint32_t last_before = 0;
  for (uint32_t run = 0; run < reaches.size(); ++run) {
    if (run > 0 && last_before < first_after[run]) {
      parts.back().inputs = first_after[run] - parts.back().first_input;
      parts.push_back({first_after[run], 0, run, 0});
    }
    ++parts.back().runs;
    last_before = std::max(last_before, reaches[run].last);
  }
  parts.back().inputs = static_cast<uint32_t>(request.inputs_size()) - parts.back().first_input;
  return parts;
}

std::vector<RequestPart> OneForEachInput(const v1::ExtractRequest& request) {
  std::vector<RequestPart> parts;
  for (uint32_t i = 0; i < static_cast<uint32_t>(request.inputs_size()); ++i) parts.push_back({i, 1, i, 1});
  return parts;
}

void KeepRunsOf(const RequestPart& part, RunList* runs) {
  RunList kept;
  for (const uint32_t run : *runs) {
    if (IsInside(run, part)) kept.Add(run - part.first_run);
  }
  runs->Swap(&kept);
}

v1::Run Renumbered(v1::Run run, const RequestPart& part) {
  run.set_input(run.input() - part.first_input);
  if (run.has_baseline()) run.set_baseline(run.baseline() - part.first_run);
  for (v1::Intervention& edit : *run.mutable_interventions()) {
    if (edit.has_patch()) edit.mutable_patch()->set_run(edit.patch().run() - part.first_run);
  }
  return run;
}

}  // namespace

v1::ExtractRequest WithTextsAsInputs(v1::ExtractRequest request) {
  if (request.texts().empty()) return request;
  google::protobuf::RepeatedPtrField<v1::Input> inputs;
  for (std::string& text : *request.mutable_texts()) inputs.Add()->set_text(std::move(text));
  for (v1::Input& input : *request.mutable_inputs()) inputs.Add()->Swap(&input);
  request.mutable_inputs()->Swap(&inputs);
  request.clear_texts();
  return request;
}

std::vector<RequestPart> SmallestParts(const v1::ExtractRequest& request) {
  if (request.inputs().empty() || ListsPositionsRunByRun(request)) return {Whole(request)};
  std::vector<RequestPart> parts = request.runs().empty() ? OneForEachInput(request) : CutBetweenRuns(request);
  for (const RunList* runs : NamedRuns(request)) {
    if (!CanBeNamedIn(parts, *runs)) return {Whole(request)};
  }
  return parts;
}

RequestPart Join(const RequestPart& first, const RequestPart& last) {
  return {first.first_input, last.first_input + last.inputs - first.first_input, first.first_run,
          last.first_run + last.runs - first.first_run};
}

v1::ExtractRequest RequestFor(const RequestPart& part, const v1::ExtractRequest& request,
                              const v1::ExtractRequest& common) {
  if (part == Whole(request)) return request;
  v1::ExtractRequest result = common;
  for (uint32_t i = 0; i < part.inputs; ++i) {
    *result.add_inputs() = request.inputs(static_cast<int>(part.first_input + i));
  }
  for (uint32_t i = 0; i < part.runs && !request.runs().empty(); ++i) {
    *result.add_runs() = Renumbered(request.runs(static_cast<int>(part.first_run + i)), part);
  }
  for (v1::HookSelector& hook : *result.mutable_hooks()) KeepRunsOf(part, hook.mutable_runs());
  for (v1::Metric& metric : *result.mutable_metrics()) KeepRunsOf(part, metric.mutable_runs());
  return result;
}

}  // namespace hydrophone::client
