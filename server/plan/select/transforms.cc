#include "server/plan/select/transforms.h"

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/messages.h"
#include "server/plan/select/client_tensor.h"

namespace hydrophone {
namespace {

Reduction ReductionOf(v1::Reduction reduction) {
  if (reduction == v1::REDUCTION_MEAN) return Reduction::kMean;
  return reduction == v1::REDUCTION_MAX ? Reduction::kMax : Reduction::kNone;
}

std::shared_ptr<const Projection> ReadProjection(const v1::Tensor& tensor, const std::string& path,
                                                 Violations* violations) {
  std::optional<ClientTensor> read = ReadClientTensor(tensor, path, violations);
  if (!read.has_value()) return nullptr;
  if (read->shape.empty() || read->shape.size() > 2) {
    violations->Add(absl::StrCat(path, ".shape"),
                    absl::StrCat("got ", ShapeText(read->shape), ", expected [width] or [k, width]"));
    return nullptr;
  }
  const int64_t count = read->shape.size() == 1 ? 1 : read->shape[0];
  return std::make_shared<const Projection>(Projection{count, read->shape.back(), std::move(read->values)});
}

bool GivesScores(const v1::HookSelector& hook) { return hook.has_logit_lens() && !hook.logit_lens().logits(); }

// Says why the logit lens cannot read the point; nullopt when it can.
std::optional<std::string> LensObjection(HookPoint point, const ModelInfo& model) {
  if (HookPointOf(point).logits() || IsRawResidual(point, model)) return std::nullopt;
  constexpr char kExpected[] =
      "expected a raw residual state (hook_resid_pre, hook_resid_mid, hook_resid_post, hidden_states before the last) "
      "or logits";
  const Residual residual = HookPointOf(point).residual();
  const bool normalised = residual == Residual::kAfterFinalLn || residual == Residual::kRawButLast;
  return absl::StrCat("got ", CanonicalName(point),
                      normalised ? ", which is after ln_f already (ln_f twice is the classic error), "
                                 : ", which is not a state of the residual stream, ",
                      kExpected);
}

void CheckLensPoints(const Selector& selector, const std::string& path, const ModelInfo& model,
                     Violations* violations) {
  const bool has_layers = LayerCount(*selector.info, model) > 0;
  for (int layer : selector.layers) {
    if (has_layers && layer < 0) continue;  // refused already
    if (std::optional<std::string> objection = LensObjection(selector.info->At(layer), model)) {
      return violations->Add(path, *std::move(objection));
    }
  }
}

// Refuses what cannot stand beside a logit lens, which reads whole rows and mostly answers with scores.
void CheckBesideLens(const v1::HookSelector& hook, const std::string& path, Violations* violations) {
  if (hook.has_units()) {
    violations->Add(absl::StrCat(path, ".units"), "got units beside logit_lens, expected none: it reads whole rows");
  }
  if (hook.reduction() != v1::REDUCTION_UNSPECIFIED) {
    violations->Add(absl::StrCat(path, ".reduction"),
                    absl::StrCat("got ", v1::Reduction_Name(hook.reduction()), " beside logit_lens, expected none"));
  }
  if (!hook.logit_lens().logits() && hook.view() != v1::VIEW_UNSPECIFIED && hook.view() != v1::VIEW_BYTES) {
    violations->Add(absl::StrCat(path, ".view"), absl::StrCat("got ", v1::View_Name(hook.view()),
                                                              " beside logit_lens, expected none: scores are sent"));
  }
}

std::shared_ptr<const Readout> ReadLens(const v1::LogitLens& lens, const std::string& path,
                                        const RequestContext& context, Violations* violations) {
  const auto vocabulary = static_cast<uint32_t>(context.model.vocab_size);
  const bool scores = lens.top_k() > 0 || lens.token_ids_size() > 0 || lens.entropy() || lens.final_divergence();
  if (!scores && !lens.logits()) {
    violations->Add(path, "got none of top_k, token_ids, logits, entropy and final_divergence, expected one at least");
  }
  if (scores && lens.logits()) {
    violations->Add(absl::StrCat(path, ".logits"),
                    "got it beside scores, expected it alone: a selector gives a tensor or scores");
  }
  if (lens.top_k() > vocabulary) {
    violations->Add(absl::StrCat(path, ".top_k"),
                    absl::StrCat("got ", lens.top_k(), ", expected at most ", vocabulary, ", the vocabulary's size"));
  }
  for (int i = 0; i < lens.token_ids_size(); ++i) {
    if (lens.token_ids(i) < vocabulary) continue;
    violations->Add(absl::StrCat(path, ".token_ids[", i, "]"),
                    absl::StrCat("got ", lens.token_ids(i), ", expected an id below ", vocabulary));
  }
  Readout readout;
  if (lens.logits()) readout.kind = Readout::Kind::kLogits;
  readout.top_k = lens.top_k();
  readout.token_ids.assign(lens.token_ids().begin(), lens.token_ids().end());
  readout.entropy = lens.entropy();
  readout.final_divergence = lens.final_divergence();
  return std::make_shared<const Readout>(std::move(readout));
}

void ReadView(const v1::HookSelector& hook, const v1::ExtractRequest& request, Violations* violations,
              Selector* selector) {
  const v1::View default_view = request.view() == v1::VIEW_UNSPECIFIED ? v1::VIEW_BYTES : request.view();
  const v1::Dtype default_dtype = request.dtype() == v1::DTYPE_UNSPECIFIED ? v1::DTYPE_FLOAT32 : request.dtype();
  selector->view = hook.view() == v1::VIEW_UNSPECIFIED ? default_view : hook.view();
  selector->dtype = hook.dtype() == v1::DTYPE_UNSPECIFIED ? default_dtype : hook.dtype();

  const bool lens = GivesScores(hook);
  const bool narrow = hook.dtype() == v1::DTYPE_FLOAT16 || hook.dtype() == v1::DTYPE_BFLOAT16;
  if (narrow && (lens || selector->view != v1::VIEW_BYTES)) {
    violations->Add(
        absl::StrCat(selector->path, ".dtype"),
        absl::StrCat("got ", v1::Dtype_Name(hook.dtype()),
                     lens ? std::string(" beside logit_lens") : absl::StrCat(" with ", v1::View_Name(selector->view)),
                     ", expected none: it is the type of elements sent as bytes"));
  }
}

void CheckQuantiles(const v1::SummaryOptions& options, const std::string& path, Violations* violations) {
  for (int i = 0; i < options.quantiles_size(); ++i) {
    const float quantile = options.quantiles(i);
    if (quantile >= 0 && quantile <= 1) continue;
    violations->Add(absl::StrCat(path, ".quantiles[", i, "]"), absl::StrCat("got ", quantile, ", expected 0 to 1"));
  }
}

void ReadSummary(const v1::HookSelector& hook, Violations* violations, Selector* selector) {
  const std::string path = absl::StrCat(selector->path, ".summary");
  if (GivesScores(hook)) {
    violations->Add(path, "got it beside logit_lens, expected none: scores are sent");
  } else if (selector->view != v1::VIEW_SUMMARY) {
    violations->Add(path, absl::StrCat("got it with ", v1::View_Name(selector->view), ", expected VIEW_SUMMARY"));
  }
  const float threshold = hook.summary().threshold();
  if (!std::isfinite(threshold) || threshold < 0) {
    violations->Add(absl::StrCat(path, ".threshold"),
                    absl::StrCat("got ", threshold, ", expected a finite magnitude, 0 or more"));
  }
  CheckQuantiles(hook.summary(), path, violations);
  selector->summary = std::make_shared<const v1::SummaryOptions>(hook.summary());
}

}  // namespace

void ReadTransforms(const v1::HookSelector& hook, const v1::ExtractRequest& request, const RequestContext& context,
                    Violations* violations, Selector* selector) {
  if (hook.has_units() && !hook.has_logit_lens()) selector->units = &hook.units();
  selector->reduction = ReductionOf(hook.reduction());
  if (hook.has_project()) {
    selector->projection = ReadProjection(hook.project(), absl::StrCat(selector->path, ".project"), violations);
  }
  if (hook.has_logit_lens()) {
    const std::string path = absl::StrCat(selector->path, ".logit_lens");
    CheckBesideLens(hook, selector->path, violations);
    CheckLensPoints(*selector, path, context.model, violations);
    selector->readout = ReadLens(hook.logit_lens(), path, context, violations);
  }
  ReadView(hook, request, violations, selector);
  if (hook.has_summary()) ReadSummary(hook, violations, selector);
}

}  // namespace hydrophone
