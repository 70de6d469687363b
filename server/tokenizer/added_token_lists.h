// Which tokens a tokenizer's files add, and in which order.
#ifndef HYDROPHONE_SERVER_TOKENIZER_ADDED_TOKEN_LISTS_H_
#define HYDROPHONE_SERVER_TOKENIZER_ADDED_TOKEN_LISTS_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tokenizer/added_tokens.h"

namespace hydrophone {

struct SettingsFiles;

// The tokens with a role.
struct TokenRoles {
  std::optional<std::string> bos;
  std::optional<std::string> eos;
  std::vector<AddedToken> added;  // in the order in which ids are given
};

// Gathers what Hugging Face adds: the added tokens by their ids, then those with a role that are not among them, then
// the further special tokens. `whole`: tokenizer.json's own come first, and no role has a default; otherwise bos, eos
// and unk are <|endoftext|> unless the files say otherwise. INVALID_ARGUMENT as in ReadTokenSettings.
absl::StatusOr<TokenRoles> ReadTokenRoles(const SettingsFiles& files, bool whole);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_ADDED_TOKEN_LISTS_H_
