#include "server/plan/generation.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/hook_points.h"
#include "server/plan/inputs/inputs.h"

namespace hydrophone {
namespace {

constexpr size_t kFields = Readout::kScoreFields;

// The likeliest next token at the end of each run of the plan.
Capture NextTokensOf(const Plan& plan) {
  Readout likeliest;
  likeliest.top_k = 1;
  Capture capture;
  capture.point = LogitsPoint();
  capture.contiguous = false;
  for (uint32_t run = 0; run < plan.runs.size(); ++run) {
    capture.runs.push_back(run);
    capture.rows_per_run.push_back(1);
    capture.rows.push_back(plan.first_token[run + 1] - 1);
  }
  capture.row_count = static_cast<int64_t>(capture.rows.size());
  capture.readout = std::make_shared<const Readout>(std::move(likeliest));
  capture.row_shape = {Readout::kScoreFields};
  return capture;
}

}  // namespace

uint32_t ReadMaxNewTokens(const v1::ExtractRequest& request, const ModelInfo& model, Violations* violations) {
  const uint32_t count = request.max_new_tokens();
  if (count == 0) return 0;
  const size_t before = violations->total();
  const auto most = static_cast<uint32_t>(model.n_positions) - 1;
  if (count > most) {
    violations->Add("max_new_tokens", absl::StrCat("got ", count, ", expected at most ", most, ": a context of ",
                                                   model.n_positions, " less a token to continue"));
  }
  const auto edited = std::find_if(request.runs().begin(), request.runs().end(),
                                   [](const v1::Run& run) { return run.interventions_size() > 0; });
  if (edited != request.runs().end()) {
    violations->Add("max_new_tokens", absl::StrCat("got ", count, " beside runs[", edited - request.runs().begin(),
                                                   "].interventions, expected clean runs only"));
  }
  const auto trained = std::find_if(request.runs().begin(), request.runs().end(),
                                    [](const v1::Run& run) { return run.has_train_seed(); });
  if (request.has_train_seed()) {
    violations->Add("max_new_tokens", absl::StrCat("got ", count, " beside train_seed, expected eval mode"));
  } else if (trained != request.runs().end()) {
    violations->Add("max_new_tokens", absl::StrCat("got ", count, " beside runs[", trained - request.runs().begin(),
                                                   "].train_seed, expected eval mode"));
  }
  return violations->total() > before ? 0 : count;
}

void AppendTokens(absl::Span<const uint32_t> ids, const Tokenizer& tokenizer, PlannedInput* input) {
  for (uint32_t id : ids) {
    input->token_ids.push_back(id);
    input->byte_offsets.push_back(input->byte_end);
    input->byte_end += static_cast<uint32_t>(BytesOf(tokenizer, id));
  }
}

std::vector<PlannedInput> WithPlaceholders(std::vector<PlannedInput> inputs, uint32_t count) {
  for (PlannedInput& input : inputs) {
    if (!input.token_ids.empty()) input.token_ids.resize(input.token_ids.size() + count);
  }
  return inputs;
}

GreedyContinuation::GreedyContinuation(const ExtractCall& call, const RequestContext& context)
    : max_new_tokens_(call.max_new_tokens),
      end_tokens_(context.model.eos_token_ids),
      vocabulary_(static_cast<uint32_t>(context.model.vocab_size)),
      continuations_(call.inputs.size()) {
  for (const PlannedInput& input : call.inputs) sequences_.push_back(input.token_ids);
  for (const PlannedRun& run : call.plan.runs) unfinished_.push_back(run.input);
  std::sort(unfinished_.begin(), unfinished_.end());
  unfinished_.erase(std::unique(unfinished_.begin(), unfinished_.end()), unfinished_.end());
}

uint64_t GreedyContinuation::MostTokens() const {
  uint64_t tokens = 0;
  for (uint32_t input : unfinished_) {
    const uint64_t steps = max_new_tokens_ - continuations_[input].size();
    tokens += steps * sequences_[input].size() + steps * (steps - 1) / 2;
  }
  return tokens;
}

Plan GreedyContinuation::NextStep() const {
  Plan plan;
  plan.first_token.push_back(0);
  for (uint32_t input : unfinished_) {
    plan.runs.push_back({input, sequences_[input]});
    plan.first_token.push_back(plan.first_token.back() + static_cast<int64_t>(sequences_[input].size()));
  }
  plan.captures.push_back(NextTokensOf(plan));
  plan.capture_bytes = static_cast<uint64_t>(plan.captures[0].Elements()) * sizeof(float);
  return plan;
}

absl::Status GreedyContinuation::Take(absl::Span<const float> values) {
  if (values.size() != unfinished_.size() * kFields) {
    return absl::InternalError(
        absl::StrCat("got ", values.size(), " numbers about next tokens, expected ", unfinished_.size() * kFields));
  }
  std::vector<uint32_t> unfinished;
  for (size_t i = 0; i < unfinished_.size(); ++i) {
    const float id = values[i * kFields];
    if (!(id >= 0 && id < static_cast<float>(vocabulary_))) {
      return absl::InternalError(
          absl::StrCat("the model continued with token ", id, ", which it has no embedding for"));
    }
    const uint32_t input = unfinished_[i];
    const auto token = static_cast<uint32_t>(id);
    sequences_[input].push_back(token);
    continuations_[input].push_back(token);
    const bool end = std::find(end_tokens_.begin(), end_tokens_.end(), token) != end_tokens_.end();
    const bool ended = end || continuations_[input].size() == max_new_tokens_;
    if (!ended) unfinished.push_back(input);
  }
  unfinished_ = std::move(unfinished);
  return absl::OkStatus();
}

}  // namespace hydrophone
