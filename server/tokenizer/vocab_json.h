// Reading vocab.json's syntax: one JSON object from strings to whole numbers.
#ifndef HYDROPHONE_SERVER_TOKENIZER_VOCAB_JSON_H_
#define HYDROPHONE_SERVER_TOKENIZER_VOCAB_JSON_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

// The members in the file's order, twice if they come twice. INVALID_ARGUMENT with the place (a
// byte's number) when `json` is not such an object. Stops at the first nested value, so depth costs
// nothing.
absl::StatusOr<std::vector<std::pair<std::string, uint64_t>>> ParseVocabJson(absl::string_view json);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_VOCAB_JSON_H_
