#include "client/cpp/cli/display/input_tokens.h"

#include "client/cpp/cli/display/token_text.h"

namespace hydrophone::client {

InputTokens::InputTokens(const v1::ExtractRequest& request) {
  for (const v1::Run& run : request.runs()) input_of_.push_back(run.input());
}

void InputTokens::Add(const v1::InputInfo& input) {
  pieces_[input.index()].assign(input.pieces().begin(), input.pieces().end());
}

std::string InputTokens::At(uint32_t run, uint32_t position) const {
  const auto pieces = pieces_.find(run < input_of_.size() ? input_of_[run] : run);
  if (pieces == pieces_.end() || position >= pieces->second.size()) return "";
  return TokenText(pieces->second[position]);
}

}  // namespace hydrophone::client
