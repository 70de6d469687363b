#include "client/cpp/cli/extract_words.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone::client {
namespace {

// Says an option's words for a field, if the option was given.
void SayOption(const std::string& path, const char* option, const std::string& value, RequestWords* words) {
  if (!value.empty()) words->Say(path, OptionWords(option, value));
}

// How many bytes, tensors or positions the captures are is the doing of all hooks together.
std::string CapturesWords(const ExtractOptions& options) {
  return options.hooks.empty() ? "what is captured" : "what --hook captures";
}

}  // namespace

void SayForm(const ExtractOptions& options, RequestWords* words) {
  words->Say("view", options.view.empty() ? "--view" : OptionWords("--view", options.view));
  words->Say("layout", options.layout.empty() ? "--layout" : OptionWords("--layout", options.layout));
  words->Say("dtype", OptionWords("--dtype", options.dtype));
  words->Say("max_new_tokens", OptionWords("--max-new-tokens", absl::StrCat(options.max_new_tokens)));
  if (options.train_seed) words->Say("train_seed", OptionWords("--train-seed", absl::StrCat(*options.train_seed)));
  words->Say("request", "all inputs, hooks and edits together");
  words->Say("inputs", "all inputs together");
  words->Say("runs", "all runs together");
  words->Say("hooks", CapturesWords(options));
}

void SayHook(const ExtractOptions& options, int index, const std::string& name, bool own, RequestWords* words) {
  const std::string path = absl::StrCat("hooks[", index, "]");
  const auto say = [&](const char* field, const char* option, const std::string& value) {
    SayOption(absl::StrCat(path, field), option, value, words);
  };
  words->Say(path,
             options.hooks.empty() ? absl::StrCat(name, ", where no --hook is given") : OptionWords("--hook", name));
  if (!own) say(".layers", "--layers", options.layers);
  say(".positions", "--positions", options.positions);
  say(".units.heads", "--heads", options.heads);
  say(".units.features", "--features", options.features);
  words->Say(absl::StrCat(path, ".units"), options.heads.empty() ? OptionWords("--features", options.features)
                                                                 : OptionWords("--heads", options.heads));
  say(".reduction", "--reduce", options.reduce);
  say(".project", "--project", options.project);
  if (options.threshold) say(".summary.threshold", "--threshold", absl::StrCat(*options.threshold));
  if (options.largest > 0) say(".summary.top_k", "--largest", absl::StrCat(options.largest));
  say(".summary", "--view", "summary");
  say(".summary.quantiles", "--quantiles", options.quantiles);
  if (options.lens_logits) words->Say(absl::StrCat(path, ".logit_lens"), "--lens-logits");
  if (options.lens_entropy) words->Say(absl::StrCat(path, ".logit_lens"), "--lens-entropy");
  if (options.lens_kl) words->Say(absl::StrCat(path, ".logit_lens"), "--lens-kl");
  if (options.top_k > 0) {
    say(".logit_lens", "--top-k", absl::StrCat(options.top_k));
    say(".logit_lens.top_k", "--top-k", absl::StrCat(options.top_k));
  } else {
    say(".logit_lens", "--tokens", options.tokens);
  }
  say(".logit_lens.token_ids", "--tokens", options.tokens);
  // Without --view, the values are floats because of --json.
  words->Say(absl::StrCat(path, ".view"), options.view.empty() ? "--json" : OptionWords("--view", options.view));
}

void SayMetric(int index, const std::string& text, RequestWords* words) {
  words->Say(absl::StrCat("metrics[", index, "]"), OptionWords("--metric", text));
}

void SayEdits(const ExtractOptions& options, RequestWords* words) {
  constexpr std::pair<const char*, const char*> kParts[] = {{"layers", "layers (HOOK@LAYERS)"},
                                                            {"positions", "pos="},
                                                            {"units.heads", "heads="},
                                                            {"units.features", "features="},
                                                            {"patch", "patch="}};
  for (size_t i = 0; i < options.edits.size(); ++i) {
    const std::string path = absl::StrCat("runs[*].interventions[", i, "]");
    const std::string edit = OptionWords("--edit", options.edits[i]);
    words->Say(path, edit);
    for (const auto& [field, part] : kParts) {
      words->Say(absl::StrCat(path, ".", field), absl::StrCat(edit, ", ", part));
    }
  }
}

}  // namespace hydrophone::client
