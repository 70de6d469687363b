// Tokens as the command line names them.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_TOKEN_WORDS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_TOKEN_WORDS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hydrophone/v1/tokenize.pb.h"

namespace hydrophone::client {

// Asks a server for texts' tokens.
using Tokenizer = std::function<absl::StatusOr<v1::TokenizeResponse>(const v1::TokenizeRequest&)>;

// " Paris, London, 6342": the ids of tokens between commas. A whole number is an id; anything else is a text that must
// be one token, spaces included: " Paris" is another token than "Paris". `tokenizer` is asked once if there are texts,
// else not at all. INVALID_ARGUMENT tells a text that is several tokens, and which; other errors are the tokenizer's.
absl::StatusOr<std::vector<uint32_t>> ParseTokens(absl::string_view text, const Tokenizer& tokenizer);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_TOKEN_WORDS_H_
