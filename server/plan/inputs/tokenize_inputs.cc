#include "server/plan/inputs/tokenize_inputs.h"

#include <cstdint>

#include "server/core/errors.h"
#include "server/core/tokenizer.h"
#include "server/plan/inputs/inputs.h"

namespace hydrophone {

absl::StatusOr<std::vector<PlannedInput>> ReadTokenizeInputs(const v1::TokenizeRequest& request,
                                                             const RequestContext& context) {
  if (IsMissing(context.tokenizer)) {
    return NeedsTokenizer(request.texts().empty() ? "inputs" : "texts", "inputs to tokenize", "");
  }
  Violations violations;
  absl::StatusOr<std::vector<PlannedInput>> inputs =
      ReadInputs(request.texts(), request.inputs(),
                 {/*limit_to_context=*/false, /*skip_bad=*/request.skip_bad_inputs()}, context, &violations);
  if (!inputs.ok()) return inputs.status();
  if (!violations.empty()) return violations.ToStatus();
  uint64_t tokens = 0;
  for (const PlannedInput& input : *inputs) tokens += input.token_ids.size();
  if (tokens > context.limits.max_request_elements) {
    return TooLarge("inputs", tokens, context.limits.max_request_elements, "tokens");
  }
  return inputs;
}

}  // namespace hydrophone
