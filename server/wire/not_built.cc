#include "server/wire/not_built.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/core/errors.h"

namespace hydrophone {
namespace {

absl::Status CheckRun(const v1::Run& run, absl::string_view path) {
  if (run.interventions_size() > 0)
    return NotBuilt(absl::StrCat(path, ".interventions[0]"), "editing activations");
  if (run.has_baseline()) return NotBuilt(absl::StrCat(path, ".baseline"), "comparing runs");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBuilt(const v1::ExtractRequest& request) {
  if (request.has_train_seed()) return NotBuilt("train_seed", "train mode");
  if (request.max_new_tokens() > 0) return NotBuilt("max_new_tokens", "generating tokens");
  for (int i = 0; i < request.runs_size(); ++i) {
    absl::Status run = CheckRun(request.runs(i), absl::StrCat("runs[", i, "]"));
    if (!run.ok()) return run;
  }
  return absl::OkStatus();
}

}  // namespace hydrophone
