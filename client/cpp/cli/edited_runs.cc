#include "client/cpp/cli/edited_runs.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace hydrophone::client {
namespace {

bool Patches(const std::vector<Edit>& edits, Edit::From from) {
  return std::any_of(edits.begin(), edits.end(), [from](const Edit& edit) { return edit.from == from; });
}

absl::Status CheckSources(const EditedInputs& what) {
  const bool patches = Patches(what.edits, Edit::From::kSource);
  if (patches && what.sources.empty()) {
    return absl::InvalidArgumentError("patch=source needs --patch-from TEXT, the text to patch from");
  }
  if (!patches && !what.sources.empty()) {
    return absl::InvalidArgumentError("--patch-from needs an --edit that patches from it: HOOK patch=source");
  }
  if (what.sources.size() > 1 && what.sources.size() != what.inputs.size()) {
    return absl::InvalidArgumentError(absl::StrCat("--patch-from: got ", what.sources.size(), " texts for ",
                                                   what.inputs.size(), " inputs, expected one, or one for each input"));
  }
  return absl::OkStatus();
}

// Adds the runs of one input after another.
class RunAdder {
 public:
  RunAdder(const EditedInputs& what, v1::ExtractRequest* request, RequestWords* words)
      : what_(what),
        request_(*request),
        words_(*words),
        clean_(what.clean || Patches(what.edits, Edit::From::kClean)) {}

  void Add(size_t number, MadeRuns* made) {
    const uint32_t input = AddInput(what_.inputs[number], number, "");
    std::optional<uint32_t> clean;
    std::optional<uint32_t> source;
    if (clean_) clean = AddRun("clean", input);
    if (!what_.sources.empty()) {
      const GivenInput& text = what_.sources[what_.sources.size() == 1 ? 0 : number];
      source = AddRun("source", AddInput(text, number, ".source"));
    }
    const uint32_t edited = AddRun("edited", input);
    v1::Run& run = *request_.mutable_runs(static_cast<int>(edited));
    if (what_.baseline && clean) run.set_baseline(*clean);
    for (const Edit& edit : what_.edits) {
      v1::Intervention& added = *run.add_interventions();
      added = edit.intervention;
      if (edit.from != Edit::From::kNothing) {
        added.mutable_patch()->set_run(edit.from == Edit::From::kClean ? clean.value_or(0) : source.value_or(0));
      }
    }
    if (what_.clean && clean) made->clean.push_back(*clean);
    made->edited.push_back(edited);
  }

 private:
  uint32_t AddInput(const GivenInput& given, size_t number, absl::string_view suffix) {
    v1::Input& added = *request_.add_inputs();
    added = given.input;
    words_.AddInput(given.words, given.rest);
    const std::string& own = what_.inputs[number].input.key();
    if (!what_.sources.empty()) added.set_key(absl::StrCat(own.empty() ? absl::StrCat(number) : own, suffix));
    return static_cast<uint32_t>(request_.inputs_size()) - 1;
  }

  uint32_t AddRun(const char* key, uint32_t input) {
    v1::Run& run = *request_.add_runs();
    run.set_key(key);
    run.set_input(input);
    words_.AddRun(key, input);
    return static_cast<uint32_t>(request_.runs_size()) - 1;
  }

  const EditedInputs& what_;
  v1::ExtractRequest& request_;
  RequestWords& words_;
  const bool clean_;
};

}  // namespace

absl::StatusOr<MadeRuns> AddEditedRuns(const EditedInputs& what, v1::ExtractRequest* request, RequestWords* words) {
  if (absl::Status status = CheckSources(what); !status.ok()) return status;
  MadeRuns made;
  RunAdder adder(what, request, words);
  for (size_t i = 0; i < what.inputs.size(); ++i) adder.Add(i, &made);
  return made;
}

}  // namespace hydrophone::client
