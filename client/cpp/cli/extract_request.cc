#include "client/cpp/cli/extract_request.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cpp/cli/edited_runs.h"
#include "client/cpp/cli/extract_combination.h"
#include "client/cpp/cli/extract_words.h"
#include "client/cpp/cli/inputs.h"
#include "client/cpp/cli/metric_grammar.h"
#include "client/cpp/cli/selection.h"
#include "client/cpp/files/tensor_reader.h"

namespace hydrophone::client {
namespace {

constexpr char kDefaultHook[] = "hook_resid_post";

v1::View ViewOf(const std::string& name) {
  static const auto& views = *new std::map<std::string, v1::View>{{"preview", v1::VIEW_PREVIEW},
                                                                  {"summary", v1::VIEW_SUMMARY},
                                                                  {"bytes", v1::VIEW_BYTES},
                                                                  {"floats", v1::VIEW_FLOATS}};
  return views.at(name);
}

v1::Dtype DtypeOf(const std::string& name) {
  static const auto& dtypes = *new std::map<std::string, v1::Dtype>{{"", v1::DTYPE_FLOAT32},
                                                                    {"float32", v1::DTYPE_FLOAT32},
                                                                    {"float16", v1::DTYPE_FLOAT16},
                                                                    {"bfloat16", v1::DTYPE_BFLOAT16}};
  return dtypes.at(name);
}

absl::Status ParseQuantiles(const std::string& text, v1::SummaryOptions* summary) {
  if (text.empty()) return absl::OkStatus();
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    float quantile = 0;
    if (!absl::SimpleAtof(part, &quantile) || !(quantile >= 0 && quantile <= 1)) {
      return absl::InvalidArgumentError(absl::StrCat("--quantiles: got \"", part, "\", expected numbers from 0 to 1"));
    }
    summary->add_quantiles(quantile);
  }
  return absl::OkStatus();
}

absl::Status ReadUnits(const ExtractOptions& options, v1::HookSelector* hook) {
  if (!options.heads.empty()) {
    const auto heads = ParseIndices("--heads", options.heads);
    if (!heads.ok()) return heads.status();
    hook->mutable_units()->mutable_heads()->Assign(heads->begin(), heads->end());
  }
  if (options.features.empty()) return absl::OkStatus();
  const auto features = ParseIndices("--features", options.features);
  if (!features.ok()) return features.status();
  hook->mutable_units()->mutable_features()->Assign(features->begin(), features->end());
  return absl::OkStatus();
}

absl::Status ReadTransform(const ExtractOptions& options, const Tokenizer& tokenizer, v1::HookSelector* hook) {
  if (!options.project.empty()) {
    auto matrix = ReadTensorFile(options.project);
    if (!matrix.ok()) return matrix.status();
    if (matrix->shape_size() != 1 && matrix->shape_size() != 2) {
      return absl::InvalidArgumentError(absl::StrCat(options.project, ": got ", matrix->shape_size(),
                                                     " dimensions, expected a matrix [k,width] or a vector [width]"));
    }
    *hook->mutable_project() = *std::move(matrix);
  }
  if (options.lens_logits) hook->mutable_logit_lens()->set_logits(true);
  if (options.lens_entropy) hook->mutable_logit_lens()->set_entropy(true);
  if (options.lens_kl) hook->mutable_logit_lens()->set_final_divergence(true);
  if (options.top_k > 0) hook->mutable_logit_lens()->set_top_k(options.top_k);
  if (options.tokens.empty()) return absl::OkStatus();
  const auto ids = ParseTokens(options.tokens, tokenizer);
  if (!ids.ok()) return ids.status();
  hook->mutable_logit_lens()->mutable_token_ids()->Assign(ids->begin(), ids->end());
  return absl::OkStatus();
}

// All of a selector but its hook point, its layers and its runs.
absl::StatusOr<v1::HookSelector> CommonSelector(const ExtractOptions& options, const Tokenizer& tokenizer) {
  v1::HookSelector common;
  const std::string positions = options.positions.empty() && options.hooks.empty() ? "last" : options.positions;
  if (!positions.empty()) {
    auto parsed = ParsePositions(positions, "--positions");
    if (!parsed.ok()) return parsed.status();
    *common.mutable_positions() = *std::move(parsed);
  }
  if (absl::Status status = ReadUnits(options, &common); !status.ok()) return status;
  if (!options.reduce.empty()) common.set_reduction(options.reduce == "mean" ? v1::REDUCTION_MEAN : v1::REDUCTION_MAX);
  if (options.threshold) common.mutable_summary()->set_threshold(*options.threshold);
  if (options.largest > 0) common.mutable_summary()->set_top_k(options.largest);
  if (!options.quantiles.empty()) {
    absl::Status status = ParseQuantiles(options.quantiles, common.mutable_summary());
    if (!status.ok()) return status;
  }
  if (absl::Status status = ReadTransform(options, tokenizer, &common); !status.ok()) return status;
  return common;
}

absl::Status AddHooks(const ExtractOptions& options, const Tokenizer& tokenizer, MadeRequest* made) {
  const auto layers = ParseLayers(options.layers, "--layers");
  if (!layers.ok()) return layers.status();
  std::vector<std::string> names = options.hooks;
  if (names.empty() && HasDefaultHook(options)) names = {kDefaultHook};
  if (names.empty()) return absl::OkStatus();
  if (ShowsGrids(options) && std::find(names.begin(), names.end(), kOutputHook) == names.end()) {
    names.emplace_back(kOutputHook);
  }
  const auto common = CommonSelector(options, tokenizer);
  if (!common.ok()) return common.status();
  for (const std::string& name : names) {
    const auto hook = ParseHook(name, name == kOutputHook ? std::vector<int32_t>() : *layers);
    if (!hook.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(OptionWords("--hook", name), ": ", hook.status().message()));
    }
    SayHook(options, made->request.hooks_size(), name, name == kOutputHook || absl::StrContains(name, '@'),
            &made->words);
    v1::HookSelector& added = *made->request.add_hooks();
    added = *common;
    added.MergeFrom(*hook);
  }
  return absl::OkStatus();
}

absl::Status AddMetrics(const ExtractOptions& options, const Tokenizer& tokenizer, MadeRequest* made) {
  for (const std::string& text : options.metrics) {
    auto metric = ParseMetric(text, tokenizer);
    if (!metric.ok()) return metric.status();
    SayMetric(made->request.metrics_size(), text, &made->words);
    *made->request.add_metrics() = *std::move(metric);
  }
  return absl::OkStatus();
}

absl::StatusOr<MadeRuns> AddRuns(const ExtractOptions& options, std::vector<GivenInput> inputs, MadeRequest* made) {
  EditedInputs what;
  what.inputs = std::move(inputs);
  what.clean = !options.no_baseline;
  what.baseline = Compares(options) || AsksForDivergence(options);
  for (const std::string& text : options.edits) {
    auto edit = ParseEdit(text);
    if (!edit.ok()) return edit.status();
    what.edits.push_back(*std::move(edit));
  }
  for (const std::string& text : options.patch_from) {
    v1::Input& source =
        what.sources.emplace_back(GivenInput{InputFromText(text), OptionWords("--patch-from", text)}).input;
    source.set_prepend_bos(options.inputs.prepend_bos);
    source.set_literal_specials(options.inputs.literal_specials);
    source.set_truncate(options.truncate);
  }
  SayEdits(options, &made->words);
  return AddEditedRuns(what, &made->request, &made->words);
}

// Says which runs the selectors and metrics look at: of a comparison and a divergence, the edited ones; else the clean
// ones too.
void NameRuns(const ExtractOptions& options, const MadeRuns& made, v1::ExtractRequest* request) {
  std::vector<uint32_t> both = made.clean;
  both.insert(both.end(), made.edited.begin(), made.edited.end());
  std::sort(both.begin(), both.end());
  const std::vector<uint32_t>& seen = AsksForLens(options) ? both : made.edited;
  for (v1::HookSelector& hook : *request->mutable_hooks()) hook.mutable_runs()->Assign(seen.begin(), seen.end());
  for (v1::Metric& metric : *request->mutable_metrics()) {
    const std::vector<uint32_t>& measured = metric.has_divergence() ? made.edited : both;
    metric.mutable_runs()->Assign(measured.begin(), measured.end());
  }
}

absl::Status AddInputsAndRuns(const ExtractOptions& options, std::vector<GivenInput> inputs, MadeRequest* made) {
  for (GivenInput& given : inputs) given.input.set_truncate(options.truncate);
  if (options.edits.empty()) {
    AddGivenInputs(std::move(inputs), made->request.mutable_inputs(), &made->words);
    return absl::OkStatus();
  }
  const auto runs = AddRuns(options, std::move(inputs), made);
  if (!runs.ok()) return runs.status();
  NameRuns(options, *runs, &made->request);
  return absl::OkStatus();
}

// Scores and patterns, [H, q, k], have no rows to put together.
bool AsksForSquares(const v1::ExtractRequest& request) {
  return std::any_of(request.hooks().begin(), request.hooks().end(), [](const v1::HookSelector& hook) {
    return absl::EndsWith(hook.hook_point(), "hook_attn_scores") || absl::EndsWith(hook.hook_point(), "hook_pattern");
  });
}

void SetForm(const ExtractOptions& options, v1::ExtractRequest* request) {
  request->set_view(ViewOf(ViewName(options)));
  request->set_dtype(DtypeOf(options.dtype));
  const bool rows =
      options.layout.empty() ? !options.out.empty() && !AsksForSquares(*request) : options.layout == "rows";
  request->set_layout(rows ? v1::LAYOUT_ROWS : v1::LAYOUT_PER_RUN);
}

}  // namespace

absl::StatusOr<MadeRequest> MakeRequest(const ExtractOptions& options, std::istream& standard_input,
                                        const Tokenizer& tokenizer) {
  if (absl::Status status = CheckCombination(options); !status.ok()) return status;
  auto inputs = options.inputs.Read(standard_input, /*none_is_fine=*/false, options.skip_bad_inputs);
  return inputs.ok() ? MakeRequestOver(options, *std::move(inputs), tokenizer) : inputs.status();
}

absl::StatusOr<MadeRequest> MakeRequestOver(const ExtractOptions& options, std::vector<GivenInput> inputs,
                                            const Tokenizer& tokenizer) {
  if (absl::Status status = CheckCombination(options); !status.ok()) return status;
  MadeRequest made{{}, RequestWords::OfCommandLine()};
  if (absl::Status status = AddHooks(options, tokenizer, &made); !status.ok()) return status;
  if (absl::Status status = AddMetrics(options, tokenizer, &made); !status.ok()) return status;
  if (absl::Status status = AddInputsAndRuns(options, std::move(inputs), &made); !status.ok()) return status;
  v1::ExtractRequest& request = made.request;
  SetForm(options, &request);
  if (options.train_seed) request.set_train_seed(*options.train_seed);
  request.set_max_new_tokens(options.max_new_tokens);
  request.set_skip_bad_inputs(options.skip_bad_inputs);
  SayForm(options, &made.words);
  return made;
}

}  // namespace hydrophone::client
