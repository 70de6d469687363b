#include "server/verify/call/verify_call.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/errors.h"
#include "server/plan/inputs/inputs.h"

namespace hydrophone {
namespace {

// The lessons' own input.
constexpr char kLessonSentence[] = "Plants make fantastic pets because they don't leave a mess after you feed them.";

// Tokens of the neighbour, the sequence that stands before the inputs in kBlocks, so that the inputs are never computed
// by themselves there.
constexpr size_t kNeighbourTokens = 16;

// A receiver with gRPC's default takes messages of 4 MiB; this leaves room for checks, layers and inputs.
constexpr uint64_t kMaxResidualBytes = uint64_t{3} << 20;

std::vector<int> ReadLayers(const v1::VerifyRequest& request, int n_layer, Violations* violations) {
  std::set<int> layers;
  for (int i = 0; i < request.layers_size(); ++i) {
    const int layer = request.layers(i);
    if (layer < -n_layer || layer >= n_layer) {
      violations->Add(absl::StrCat("layers[", i, "]"),
                      absl::StrCat("got ", layer, ", expected ", -n_layer, " to ", n_layer - 1));
    } else {
      layers.insert(layer < 0 ? layer + n_layer : layer);
    }
  }
  for (int layer = 0; request.layers().empty() && layer < n_layer; ++layer) layers.insert(layer);
  return {layers.begin(), layers.end()};
}

MaskRule ReadMask(const v1::VerifyRequest& request, Violations* violations) {
  MaskRule rule;
  if (!request.has_mask()) return rule;
  switch (request.mask().rule_case()) {
    case v1::Mask::kMaxAbs:
      rule = {MaskRule::Kind::kMaxAbs, request.mask().max_abs()};
      if (!(std::isfinite(rule.value) && rule.value >= 0)) {
        violations->Add("mask.max_abs", absl::StrCat("got ", rule.value, ", expected a finite number, 0 or more"));
      }
      break;
    case v1::Mask::kQuantile:
      rule = {MaskRule::Kind::kQuantile, request.mask().quantile()};
      if (!(rule.value > 0 && rule.value <= 1)) {
        violations->Add("mask.quantile", absl::StrCat("got ", rule.value, ", expected more than 0 and at most 1"));
      }
      break;
    case v1::Mask::RULE_NOT_SET:
      violations->Add("mask", "got neither max_abs nor quantile, expected one; leave `mask` out for max_abs 30");
      break;
  }
  return rule;
}

absl::StatusOr<std::vector<PlannedInput>> ReadInputsOrLesson(const v1::VerifyRequest& request,
                                                             const RequestContext& context, Violations* violations) {
  google::protobuf::RepeatedPtrField<v1::Input> inputs = request.inputs();
  if (request.texts().empty() && inputs.empty()) {
    if (IsMissing(context.tokenizer)) {
      return NeedsTokenizer("inputs", "no inputs, which stands for a sentence", "inputs with token_ids");
    }
    v1::Input* lesson = inputs.Add();
    lesson->set_text(kLessonSentence);
    lesson->set_truncate(true);  // for models of very short context
  }
  return ReadInputs(request.texts(), inputs, InputRules{}, context, violations);
}

uint64_t TokensOf(const std::vector<PlannedInput>& inputs) {
  uint64_t tokens = 0;
  for (const PlannedInput& input : inputs) tokens += input.token_ids.size();
  return tokens;
}

// The neighbour: the end of the first input, backwards, which is tokens that the model knows in another order.
std::vector<uint32_t> Neighbour(const std::vector<uint32_t>& token_ids) {
  const size_t count = std::min(token_ids.size(), kNeighbourTokens);
  return {token_ids.rbegin(), token_ids.rbegin() + static_cast<std::ptrdiff_t>(count)};
}

// What the passes for the reports take together.
struct Sizes {
  uint64_t tokens = 0;
  uint64_t bytes = 0;
};

Sizes SizesOfReports(const VerifyCall& call, const ModelInfo& model) {
  const uint64_t all = TokensOf(call.inputs);
  const uint64_t first = call.inputs[0].token_ids.size();
  const uint64_t neighbour = std::min<uint64_t>(first, kNeighbourTokens);
  const uint64_t rows = StatePoints(model).size() * all + BlockPoints(model, call.options).size() * all +
                        AlonePoints(model).size() * first;
  return {all + (neighbour + all) + first, rows * static_cast<uint64_t>(model.n_embd) * sizeof(float)};
}

std::vector<size_t> LengthsOf(const std::vector<PlannedInput>& inputs) {
  std::vector<size_t> lengths;
  for (const PlannedInput& input : inputs) lengths.push_back(input.token_ids.size());
  return lengths;
}

// The bytes of what is captured for the comparison with the reference, if that runs on this many tokens.
uint64_t ReferenceBytes(const VerifyCall& call, const ModelInfo& model, uint64_t tokens) {
  const std::vector<size_t> lengths = ReferenceLengths(LengthsOf(call.inputs), tokens);
  uint64_t elements = 0;
  for (HookPoint point : ReferencePoints(model, call.options)) {
    for (size_t length : lengths) elements += PointElements(point, model, length);
  }
  return elements * sizeof(float);
}

// Lets the reference run on as many tokens as the limits leave room for, beside what the reports take.
absl::Status FitReference(const Sizes& reports, const RequestContext& context, VerifyCall* call) {
  const Limits& limits = context.limits;
  const auto bytes = [&](uint64_t tokens) { return reports.bytes + ReferenceBytes(*call, context.model, tokens); };
  uint64_t fits = 0, most = std::min<uint64_t>(limits.max_reference_tokens, TokensOf(call->inputs));
  most = std::min(most, limits.max_tokens_per_request - reports.tokens);
  while (fits < most) {
    const uint64_t middle = fits + (most - fits + 1) / 2;
    if (bytes(middle) <= limits.max_response_bytes) {
      fits = middle;
    } else {
      most = middle - 1;
    }
  }
  call->options.max_reference_tokens = static_cast<uint32_t>(fits);
  if (fits > 0) return absl::OkStatus();
  constexpr char kSkip[] = "for the reference to run on one token; skip_reference needs less";
  if (reports.tokens == limits.max_tokens_per_request) {
    return TooLarge("inputs", reports.tokens + 1, limits.max_tokens_per_request, absl::StrCat("tokens ", kSkip));
  }
  return TooLarge("inputs", bytes(1), limits.max_response_bytes, absl::StrCat("bytes of captured data ", kSkip));
}

// The limits of what is computed in one slice: VerifyRun takes a point's values of all runs at once.
Limits LimitsOfOneSlice(Limits limits) {
  limits.max_tokens_per_request = std::min(limits.max_tokens_per_request, limits.max_batch_tokens);
  limits.max_response_bytes = std::min(limits.max_response_bytes, limits.response_budget_bytes);
  limits.slice_tokens = limits.max_batch_tokens;
  limits.slice_bytes = limits.response_budget_bytes;
  return limits;
}

// Holds all of Verify's passes together to the limits of one request.
absl::Status FitSizes(const RequestContext& context, VerifyCall* call) {
  const uint64_t all = TokensOf(call->inputs);
  const uint64_t first = call->inputs[0].token_ids.size();
  const Sizes reports = SizesOfReports(*call, context.model);
  if (reports.tokens > context.limits.max_tokens_per_request) {
    return TooLarge("inputs", reports.tokens, context.limits.max_tokens_per_request,
                    absl::StrCat("tokens (states of ", all, ", blocks of ", all, " and ",
                                 std::min<uint64_t>(first, kNeighbourTokens), " beside them, the first input's ", first,
                                 " alone)"));
  }
  if (reports.bytes > context.limits.max_response_bytes) {
    return TooLarge("inputs", reports.bytes, context.limits.max_response_bytes, "bytes of captured data");
  }
  const uint64_t row_bytes = static_cast<uint64_t>(context.model.n_embd) * sizeof(float);
  const uint64_t residual_bytes = (call->options.layers.size() + 1) * all * row_bytes;
  if (call->options.keep_residuals && residual_bytes > kMaxResidualBytes) {
    return TooLarge("include_residuals", residual_bytes, kMaxResidualBytes, "bytes in one message");
  }
  return call->options.reference ? FitReference(reports, context, call) : absl::OkStatus();
}

// Asks for all rows of `points` of the runs from `first_run` on.
v1::ExtractRequest RequestOf(const std::vector<std::vector<uint32_t>>& inputs, size_t first_run,
                             const std::vector<HookPoint>& points, v1::Layout layout = v1::LAYOUT_ROWS) {
  v1::ExtractRequest request;
  request.set_layout(layout);
  for (const auto& ids : inputs) request.add_inputs()->mutable_token_ids()->Add(ids.begin(), ids.end());
  for (HookPoint point : points) {
    v1::HookSelector* hook = request.add_hooks();
    hook->set_hook_point(CanonicalName(point));
    for (size_t run = first_run; first_run > 0 && run < inputs.size(); ++run) {
      hook->add_runs(static_cast<uint32_t>(run));
    }
  }
  return request;
}

// What the reference runs on.
std::vector<std::vector<uint32_t>> Beginnings(const std::vector<std::vector<uint32_t>>& inputs, size_t tokens) {
  std::vector<size_t> lengths;
  for (const std::vector<uint32_t>& ids : inputs) lengths.push_back(ids.size());
  std::vector<std::vector<uint32_t>> beginnings;
  for (size_t length : ReferenceLengths(lengths, tokens)) {
    const auto first = inputs[beginnings.size()].begin();
    beginnings.emplace_back(first, first + static_cast<std::ptrdiff_t>(length));
  }
  return beginnings;
}

absl::Status PlanExtracts(std::optional<uint64_t> train_seed, const RequestContext& context, VerifyCall* call) {
  std::vector<std::vector<uint32_t>> inputs;
  for (const PlannedInput& input : call->inputs) inputs.push_back(input.token_ids);
  std::vector<std::vector<uint32_t>> with_neighbour = {Neighbour(inputs[0])};
  with_neighbour.insert(with_neighbour.end(), inputs.begin(), inputs.end());

  std::vector<v1::ExtractRequest> requests = {
      RequestOf(inputs, 0, StatePoints(context.model)),
      RequestOf(with_neighbour, 1, BlockPoints(context.model, call->options)),
      RequestOf({inputs[0]}, 0, AlonePoints(context.model)),
  };
  if (call->options.reference) {
    // Squares do not make rows, so every run has a tensor.
    requests.push_back(RequestOf(Beginnings(inputs, call->options.max_reference_tokens), 0,
                                 ReferencePoints(context.model, call->options), v1::LAYOUT_PER_RUN));
  }
  // The caller's inputs were counted; the neighbour and the points are Verify's own, and FitSizes
  // has bounded what they come to.
  Limits limits = context.limits;
  ++limits.max_inputs_per_request;
  limits.max_hooks_per_request = limits.max_tensors_per_request = std::numeric_limits<uint32_t>::max();
  const RequestContext own{context.model, context.compute, context.tokenizer, limits, context.server_version};
  for (v1::ExtractRequest& request : requests) {
    if (train_seed.has_value()) request.set_train_seed(*train_seed);
    absl::StatusOr<ExtractCall> extract = PlanExtract(request, call->request_sha256, own);
    if (!extract.ok()) return extract.status();
    call->extracts.push_back(*std::move(extract));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<VerifyCall> PlanVerify(const v1::VerifyRequest& request, std::string request_sha256,
                                      const RequestContext& requests) {
  const Limits limits = LimitsOfOneSlice(requests.limits);
  const RequestContext context{requests.model, requests.compute, requests.tokenizer, limits, requests.server_version};
  absl::Status preconditions = CheckPreconditions(request.model(), request.numerics(), context);
  if (!preconditions.ok()) return preconditions;

  VerifyCall call;
  call.request_sha256 = std::move(request_sha256);
  Violations violations;
  call.options.layers = ReadLayers(request, context.model.n_layer, &violations);
  call.options.mask = ReadMask(request, &violations);
  call.options.keep_residuals = request.include_residuals();
  call.options.train = request.has_train_seed();
  call.options.reference = !request.skip_reference() && !call.options.train && context.limits.max_reference_tokens > 0;
  absl::StatusOr<std::vector<PlannedInput>> inputs = ReadInputsOrLesson(request, context, &violations);
  if (!inputs.ok()) return inputs.status();
  if (!violations.empty()) return violations.ToStatus();

  call.inputs = *std::move(inputs);
  if (absl::Status sizes = FitSizes(context, &call); !sizes.ok()) return sizes;
  std::optional<uint64_t> train_seed;
  if (request.has_train_seed()) train_seed = request.train_seed();
  if (absl::Status planned = PlanExtracts(train_seed, context, &call); !planned.ok()) return planned;
  return call;
}

}  // namespace hydrophone
