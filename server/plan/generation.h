// Continues inputs greedily: each step is a forward pass over all unfinished sequences and appends the likeliest next
// token to each.
#ifndef HYDROPHONE_SERVER_PLAN_GENERATION_H_
#define HYDROPHONE_SERVER_PLAN_GENERATION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/core/errors.h"
#include "server/core/model_info.h"
#include "server/core/plan.h"
#include "server/core/tokenizer.h"
#include "server/plan/inputs/extract_call.h"

namespace hydrophone {

// The request's max_new_tokens. Adds a violation, and gives 0, when it leaves no room for a prompt or stands beside
// edits or a train seed.
uint32_t ReadMaxNewTokens(const v1::ExtractRequest& request, const ModelInfo& model, Violations* violations);

// Appends tokens to an input's own.
void AppendTokens(absl::Span<const uint32_t> ids, const Tokenizer& tokenizer, PlannedInput* input);

// The inputs as long as they can become: `count` placeholder tokens follow each input that is not skipped.
std::vector<PlannedInput> WithPlaceholders(std::vector<PlannedInput> inputs, uint32_t count);

// The continuations of a call's inputs, as far as they are known. One thread at a time.
class GreedyContinuation {
 public:
  // `call` is PlanExtract's, with max_new_tokens above 0. Inputs without a run do not continue.
  GreedyContinuation(const ExtractCall& call, const RequestContext& context);

  // Whether every sequence has ended: in "<|endoftext|>", which stays in it, or in its last new token.
  bool done() const { return unfinished_.empty(); }

  // The most tokens that all steps that are left compute together: when no sequence ends before its last new token.
  uint64_t MostTokens() const;

  // The next step, not after done(): one run for each unfinished sequence, and one capture of the
  // likeliest token at the end of each. Of equally likely tokens, that is the one of the lowest id.
  Plan NextStep() const;

  // Takes what NextStep's capture gave. INTERNAL when a value is not the id of a token that can be sent.
  absl::Status Take(absl::Span<const float> values);

  const Continuations& continuations() const { return continuations_; }

 private:
  const uint32_t max_new_tokens_;
  const std::vector<uint32_t> end_tokens_;
  const uint32_t vocabulary_;                     // ids are below it
  std::vector<std::vector<uint32_t>> sequences_;  // each input's tokens, then its new ones
  std::vector<uint32_t> unfinished_;              // inputs, ascending
  Continuations continuations_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_GENERATION_H_
