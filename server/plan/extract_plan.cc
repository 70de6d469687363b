#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/plan/captures/captures.h"
#include "server/plan/edits/edits.h"
#include "server/plan/generation.h"
#include "server/plan/inputs/extract_call.h"
#include "server/plan/inputs/inputs.h"
#include "server/plan/inputs/runs.h"
#include "server/plan/select/selectors.h"

namespace hydrophone {
namespace {

// The call with what is known before any input is read.
ExtractCall NewCall(const v1::ExtractRequest& request, std::string request_sha256, const RequestContext& context) {
  ExtractCall call;
  call.request_sha256 = std::move(request_sha256);
  call.tokenizer = &context.tokenizer;
  call.validate_only = request.validate_only();
  if (request.layout() != v1::LAYOUT_UNSPECIFIED) call.layout = request.layout();
  return call;
}

// A run's own seed, or else the request's. numbers[i]: which of the request's runs the i'th is.
void SetSeeds(const v1::ExtractRequest& request, const std::vector<uint32_t>& numbers, std::vector<PlannedRun>* runs) {
  for (size_t i = 0; i < runs->size(); ++i) {
    PlannedRun& run = (*runs)[i];
    if (request.has_train_seed()) run.train_seed = request.train_seed();
    if (request.runs().empty()) continue;
    const v1::Run& asked = request.runs(static_cast<int>(numbers[i]));
    if (asked.has_train_seed()) run.train_seed = asked.train_seed();
  }
}

// Plans over `inputs`, which the runs see, and fills in everything of the call but its inputs. Fails when there are
// violations, too.
absl::Status PlanOver(const std::vector<PlannedInput>& inputs, const v1::ExtractRequest& request,
                      const RequestContext& context, Violations* violations, ExtractCall* call) {
  absl::StatusOr<RunTable> runs = ReadRuns(request.runs(), inputs, context.limits, violations);
  if (!runs.ok()) return runs.status();
  absl::StatusOr<PlannedEdits> edits = ReadEdits(request.runs(), inputs, *runs, context, violations);
  if (!edits.ok()) return edits.status();
  absl::StatusOr<std::vector<Selector>> selectors = ReadSelectors(request, runs->lengths.size(), context, violations);
  if (!selectors.ok()) return selectors.status();
  RunLinks links(runs->made.size());
  for (const Edit& edit : edits->edits) {
    if (edit.operation == Edit::Operation::kPatch) links.Join(edit.run, edit.source.run);
  }
  absl::Status captures =
      PlanCaptures(*selectors, *runs, std::move(links), request.max_response_bytes(), context, violations, call);
  if (!captures.ok()) return captures;
  if (!violations->empty()) return violations->ToStatus();

  call->plan.runs = std::move(runs->made);
  SetSeeds(request, runs->numbers, &call->plan.runs);
  call->plan.first_token = std::move(runs->first_token);
  call->plan.edits = std::move(edits->edits);
  call->plan.run_order = std::move(edits->run_order);
  call->run_numbers = std::move(runs->numbers);
  return absl::OkStatus();
}

// `known`: the tokens that were generated after each input; null when none were generated yet.
absl::StatusOr<ExtractCall> PlanRequest(const v1::ExtractRequest& request, std::string request_sha256,
                                        const Continuations* known, const RequestContext& context) {
  if (absl::Status checked = CheckPreconditions(request.model(), request.numerics(), context); !checked.ok()) {
    return checked;
  }
  ExtractCall call = NewCall(request, std::move(request_sha256), context);
  Violations violations;
  const uint32_t new_tokens = ReadMaxNewTokens(request, context.model, &violations);
  const InputRules rules{/*limit_to_context=*/true, /*skip_bad=*/request.skip_bad_inputs(), new_tokens};
  absl::StatusOr<std::vector<PlannedInput>> inputs =
      ReadInputs(request.texts(), request.inputs(), rules, context, &violations);
  if (!inputs.ok()) return inputs.status();
  call.inputs = *std::move(inputs);

  absl::Status planned;
  if (known == nullptr && new_tokens > 0) {
    call.max_new_tokens = new_tokens;
    planned = PlanOver(WithPlaceholders(call.inputs, new_tokens), request, context, &violations, &call);
  } else {
    for (size_t i = 0; known != nullptr && i < call.inputs.size(); ++i) {
      AppendTokens((*known)[i], context.tokenizer, &call.inputs[i]);
    }
    planned = PlanOver(call.inputs, request, context, &violations, &call);
  }
  if (!planned.ok()) return planned;
  return call;
}

}  // namespace

absl::StatusOr<ExtractCall> PlanExtract(const v1::ExtractRequest& request, std::string request_sha256,
                                        const RequestContext& context) {
  return PlanRequest(request, std::move(request_sha256), nullptr, context);
}

absl::StatusOr<ExtractCall> PlanContinued(const v1::ExtractRequest& request, std::string request_sha256,
                                          const Continuations& continuations, const RequestContext& context) {
  return PlanRequest(request, std::move(request_sha256), &continuations, context);
}

}  // namespace hydrophone
