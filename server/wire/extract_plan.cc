#include <utility>

#include "absl/strings/str_cat.h"
#include "server/wire/captures.h"
#include "server/wire/edits.h"
#include "server/wire/extract_call.h"
#include "server/wire/inputs.h"
#include "server/wire/not_built.h"
#include "server/wire/runs.h"
#include "server/wire/selectors.h"

namespace hydrophone {

absl::StatusOr<ExtractCall> PlanExtract(const v1::ExtractRequest& request,
                                        std::string request_sha256, const RequestContext& context) {
  absl::Status preconditions = CheckPreconditions(request.model(), request.numerics(), context);
  if (!preconditions.ok()) return preconditions;
  if (absl::Status built = CheckBuilt(request); !built.ok()) return built;

  ExtractCall call;
  call.request_sha256 = std::move(request_sha256);
  call.tokenizer = &context.tokenizer;
  call.validate_only = request.validate_only();
  if (request.layout() != v1::LAYOUT_UNSPECIFIED) call.layout = request.layout();

  Violations violations;
  InputRules rules{/*limit_to_context=*/true, /*skip_bad=*/request.skip_bad_inputs()};
  absl::StatusOr<std::vector<PlannedInput>> inputs =
      ReadInputs(request.texts(), request.inputs(), rules, context, &violations);
  if (!inputs.ok()) return inputs.status();
  call.inputs = *std::move(inputs);

  absl::StatusOr<RunTable> runs =
      ReadRuns(request.runs(), call.inputs, context.limits, &violations);
  if (!runs.ok()) return runs.status();
  absl::StatusOr<PlannedEdits> edits =
      ReadEdits(request.runs(), call.inputs, *runs, context, &violations);
  if (!edits.ok()) return edits.status();
  absl::StatusOr<std::vector<Selector>> selectors =
      ReadSelectors(request, runs->lengths.size(), context, &violations);
  if (!selectors.ok()) return selectors.status();
  absl::Status captures =
      PlanCaptures(*selectors, *runs, request.max_response_bytes(), context, &violations, &call);
  if (!captures.ok()) return captures;
  if (!violations.empty()) return violations.ToStatus();

  call.plan.runs = std::move(runs->made);
  call.plan.first_token = std::move(runs->first_token);
  call.plan.edits = std::move(edits->edits);
  call.plan.run_order = std::move(edits->run_order);
  if (request.has_train_seed()) call.plan.train_seed = request.train_seed();
  call.run_numbers = std::move(runs->numbers);
  return call;
}

}  // namespace hydrophone
