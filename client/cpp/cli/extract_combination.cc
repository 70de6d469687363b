#include "client/cpp/cli/extract_combination.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/cli/selection.h"

namespace hydrophone::client {
namespace {

bool AsksForSummary(const ExtractOptions& options) {
  return options.threshold.has_value() || options.largest > 0 || !options.quantiles.empty();
}

// Whether something is said about the form in which captures come.
bool AsksForForm(const ExtractOptions& options) {
  return AsksForSummary(options) || !options.view.empty() || !options.layout.empty() || !options.dtype.empty();
}

// Whether something is said about the hooks to look at.
bool AsksOfHooks(const ExtractOptions& options) {
  const std::string* const texts[] = {&options.layers,   &options.positions, &options.heads,
                                      &options.features, &options.reduce,    &options.project};
  return AsksForForm(options) ||
         std::any_of(std::begin(texts), std::end(texts), [](const std::string* text) { return !text->empty(); });
}

// Whether --layers would choose the layers of none of the hooks given.
bool LayersAreForNothing(const ExtractOptions& options) {
  return !options.layers.empty() && !options.hooks.empty() &&
         std::all_of(options.hooks.begin(), options.hooks.end(),
                     [](const std::string& hook) { return hook == kOutputHook || HasOwnLayers(hook); });
}

}  // namespace

bool AsksForLens(const ExtractOptions& options) {
  return options.top_k > 0 || !options.tokens.empty() || options.lens_entropy || options.lens_kl;
}

bool ShowsGrids(const ExtractOptions& options) { return AsksForLens(options) && !options.json && options.out.empty(); }

bool AsksForDivergence(const ExtractOptions& options) {
  return std::any_of(options.metrics.begin(), options.metrics.end(),
                     [](const std::string& metric) { return metric == "kl" || absl::StartsWith(metric, "kl@"); });
}

bool Compares(const ExtractOptions& options) {
  return !options.edits.empty() && !options.no_baseline && !AsksForLens(options);
}

bool HasDefaultHook(const ExtractOptions& options) {
  return AsksForLens(options) || options.lens_logits ||
         (options.metrics.empty() && (!options.edits.empty() || options.max_new_tokens > 0));
}

std::string ViewName(const ExtractOptions& options) {
  if (!options.view.empty()) return options.view;
  if (AsksForSummary(options)) return "summary";
  if (!options.out.empty()) return "bytes";
  return options.json ? "floats" : "preview";
}

absl::Status CheckCombination(const ExtractOptions& options) {
  const auto refuse = [](const std::string& what) { return absl::InvalidArgumentError(what); };
  if (options.hooks.empty() && options.metrics.empty() && !HasDefaultHook(options)) {
    return refuse("nothing to capture: give --hook, --top-k, --metric, --edit or --request");
  }
  if (options.hooks.empty() && !HasDefaultHook(options) && AsksOfHooks(options)) {
    return refuse(
        "there is no --hook that layers, positions, units or a form could apply to; metrics take METRIC@POSITIONS");
  }
  if (LayersAreForNothing(options)) {
    return refuse(
        absl::StrCat("--layers ", options.layers, ": got layers that no --hook takes, since each has its own or none"));
  }
  if (AsksForSummary(options) && ViewName(options) != "summary") {
    return refuse("--threshold, --largest and --quantiles go with --view summary only");
  }
  if (Compares(options) && AsksForForm(options)) {
    return refuse(
        "--edit compares runs: --view, --layout, --dtype, --threshold, --largest and --quantiles need --no-baseline "
        "beside it");
  }
  if (AsksForLens(options) && AsksForForm(options)) {
    return refuse(
        "a logit lens gives scores: --view, --layout, --dtype, --threshold, --largest and --quantiles do not go with "
        "it, but with --lens-logits");
  }
  if (!options.dtype.empty() && ViewName(options) != "bytes") {
    return refuse(absl::StrCat("--dtype ", options.dtype, ": got a type for --view ", ViewName(options),
                               ", which has none; expected --out or --view bytes beside it"));
  }
  if (AsksForDivergence(options) && (options.edits.empty() || options.no_baseline)) {
    return refuse("--metric kl compares an edited run with the clean one: it needs --edit, without --no-baseline");
  }
  return absl::OkStatus();
}

}  // namespace hydrophone::client
