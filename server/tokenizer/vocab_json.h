// The syntax of vocab.json: one JSON object from pieces to ids.
#ifndef HYDROPHONE_SERVER_TOKENIZER_VOCAB_JSON_H_
#define HYDROPHONE_SERVER_TOKENIZER_VOCAB_JSON_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

// Pieces and their ids, in any order.
using VocabularyEntries = std::vector<std::pair<std::string, uint64_t>>;

// The members in the file's order, twice if they come twice. INVALID_ARGUMENT, with the number of the byte, when `json`
// is not such an object. Stops at the first nested value, so depth costs nothing.
absl::StatusOr<VocabularyEntries> ParseVocabJson(absl::string_view json);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_VOCAB_JSON_H_
