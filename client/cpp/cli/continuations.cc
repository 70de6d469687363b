#include "client/cpp/cli/continuations.h"

#include <algorithm>

#include "client/cpp/cli/display/token_text.h"
#include "client/cpp/request_parts.h"

namespace hydrophone::client {
namespace {

// How many of the input's tokens were there before anything was generated.
absl::StatusOr<size_t> PromptTokens(Client& client, const v1::Input& input, const v1::InputInfo& info) {
  v1::TokenizeRequest request;
  *request.add_inputs() = input;
  const auto response = client.Tokenize(request);
  if (!response.ok()) return response.status();
  const auto all = static_cast<size_t>(response->inputs_size() == 1 ? response->inputs(0).token_ids_size() : 0);
  return std::min(all - std::min<size_t>(all, info.truncated_tokens()), static_cast<size_t>(info.token_ids_size()));
}

}  // namespace

absl::StatusOr<std::vector<Continuation>> ReadContinuations(Client& client, const v1::ExtractRequest& request,
                                                            const std::vector<v1::InputInfo>& inputs) {
  const v1::ExtractRequest asked = WithTextsAsInputs(request);
  std::vector<Continuation> continuations;
  for (const v1::InputInfo& info : inputs) {
    if (!info.skipped().empty() || info.index() >= static_cast<uint32_t>(asked.inputs_size())) continue;
    const auto prompt = PromptTokens(client, asked.inputs(static_cast<int>(info.index())), info);
    if (!prompt.ok()) return prompt.status();
    v1::DetokenizeRequest tail;
    const auto begin = info.token_ids().begin() + static_cast<std::ptrdiff_t>(*prompt);
    tail.add_sequences()->mutable_token_ids()->Assign(begin, info.token_ids().end());
    const auto text = client.Detokenize(tail);
    if (!text.ok()) return text.status();
    Continuation& added = continuations.emplace_back();
    added.input = info.index();
    added.tokens = static_cast<size_t>(info.token_ids_size()) - *prompt;
    if (text->sequences_size() == 1) added.text = text->sequences(0).text();
  }
  return continuations;
}

void PrintContinuations(const std::vector<Continuation>& continuations, const RunNames& names, std::ostream& out) {
  for (const Continuation& continuation : continuations) {
    out << "input " << names.Input(continuation.input) << " goes on: `" << VisibleText(continuation.text) << "` ("
        << continuation.tokens << " tokens)\n";
  }
}

}  // namespace hydrophone::client
