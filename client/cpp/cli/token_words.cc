#include "client/cpp/cli/token_words.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/cpp/cli/display/token_text.h"
#include "client/cpp/cli/inputs.h"
#include "client/cpp/cli/request_words.h"

namespace hydrophone::client {
namespace {

// SimpleAtoi passes over spaces, which belong to a token.
bool IsId(absl::string_view word, uint32_t* id) {
  return !word.empty() && absl::ascii_isdigit(static_cast<unsigned char>(word.front())) && absl::SimpleAtoi(word, id);
}

void AppendToken(std::string* text, const std::string& piece) { *text += TokenText(piece); }

absl::StatusOr<uint32_t> OnlyToken(absl::string_view word, const v1::TokenizedInput& tokens) {
  if (tokens.token_ids_size() == 1) return tokens.token_ids(0);
  return absl::InvalidArgumentError(absl::StrCat("\"", word, "\" is ", tokens.token_ids_size(), " tokens (",
                                                 absl::StrJoin(tokens.pieces(), " ", AppendToken), "), expected one"));
}

}  // namespace

absl::StatusOr<std::vector<uint32_t>> ParseTokens(absl::string_view text, const Tokenizer& tokenizer) {
  const std::vector<std::string> words = absl::StrSplit(text, ',');
  std::vector<uint32_t> ids(words.size());
  std::vector<size_t> texts;  // the words that are no ids
  v1::TokenizeRequest request;
  RequestWords words_of_request = RequestWords::OfCommandLine();
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].empty()) return absl::InvalidArgumentError(absl::StrCat("an empty token in \"", text, "\""));
    if (IsId(words[i], &ids[i])) continue;
    texts.push_back(i);
    *request.add_inputs() = InputFromText(words[i]);
    words_of_request.AddInput(QuotedWords(words[i]));
  }
  if (texts.empty()) return ids;
  const auto response = tokenizer(request);
  if (!response.ok()) return words_of_request.Reword(response.status());
  if (response->inputs_size() != request.inputs_size()) {
    return absl::DataLossError("the server tokenized another number of texts than it was given");
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto id = OnlyToken(words[texts[i]], response->inputs(static_cast<int>(i)));
    if (!id.ok()) return id.status();
    ids[texts[i]] = *id;
  }
  return ids;
}

}  // namespace hydrophone::client
