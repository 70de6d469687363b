#include "server/wire/not_built.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/core/errors.h"

namespace hydrophone {
namespace {

absl::Status CheckDtype(v1::Dtype dtype, absl::string_view path) {
  if (dtype != v1::DTYPE_FLOAT16 && dtype != v1::DTYPE_BFLOAT16) return absl::OkStatus();
  return NotBuilt(path, v1::Dtype_Name(dtype));
}

absl::Status CheckRun(const v1::Run& run, absl::string_view path) {
  if (run.interventions_size() > 0)
    return NotBuilt(absl::StrCat(path, ".interventions[0]"), "editing activations");
  if (run.has_baseline()) return NotBuilt(absl::StrCat(path, ".baseline"), "comparing runs");
  return absl::OkStatus();
}

absl::Status CheckSummary(const v1::SummaryOptions& options, absl::string_view path) {
  if (options.has_threshold())
    return NotBuilt(absl::StrCat(path, ".threshold"), "a share above a threshold");
  if (options.top_k() > 0)
    return NotBuilt(absl::StrCat(path, ".top_k"), "listing the largest values");
  if (options.quantiles_size() > 0) return NotBuilt(absl::StrCat(path, ".quantiles"), "quantiles");
  return absl::OkStatus();
}

absl::Status CheckHook(const v1::HookSelector& hook, absl::string_view path) {
  if (hook.has_units())
    return NotBuilt(absl::StrCat(path, ".units"), "selecting heads or features");
  if (hook.reduction() != v1::REDUCTION_UNSPECIFIED) {
    return NotBuilt(absl::StrCat(path, ".reduction"), "reducing over positions");
  }
  if (hook.has_logit_lens()) return NotBuilt(absl::StrCat(path, ".logit_lens"), "the logit lens");
  if (hook.has_project())
    return NotBuilt(absl::StrCat(path, ".project"), "projecting onto vectors");
  if (absl::Status summary = CheckSummary(hook.summary(), absl::StrCat(path, ".summary"));
      !summary.ok()) {
    return summary;
  }
  return CheckDtype(hook.dtype(), absl::StrCat(path, ".dtype"));
}

}  // namespace

absl::Status CheckBuilt(const v1::ExtractRequest& request) {
  if (request.metrics_size() > 0) return NotBuilt("metrics[0]", "measuring logits");
  if (request.has_train_seed()) return NotBuilt("train_seed", "train mode");
  if (request.max_new_tokens() > 0) return NotBuilt("max_new_tokens", "generating tokens");
  if (absl::Status dtype = CheckDtype(request.dtype(), "dtype"); !dtype.ok()) return dtype;
  for (int i = 0; i < request.runs_size(); ++i) {
    absl::Status run = CheckRun(request.runs(i), absl::StrCat("runs[", i, "]"));
    if (!run.ok()) return run;
  }
  for (int i = 0; i < request.hooks_size(); ++i) {
    absl::Status hook = CheckHook(request.hooks(i), absl::StrCat("hooks[", i, "]"));
    if (!hook.ok()) return hook;
  }
  return absl::OkStatus();
}

}  // namespace hydrophone
