// Reading tokenizer.json: one file that holds what vocab.json and merges.txt hold, beside settings of
// Hugging Face's `tokenizers` library. transformers 5 saves nothing else.
#ifndef HYDROPHONE_SERVER_TOKENIZER_TOKENIZER_JSON_H_
#define HYDROPHONE_SERVER_TOKENIZER_TOKENIZER_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

// The two older files' texts.
struct TokenizerTables {
  std::string vocab_json;  // for Vocabulary::Parse
  std::string merges_txt;  // for MergeTable::Parse, its first line the first merge
};

// INVALID_ARGUMENT, naming the member, what it is and what it must be, when `json` is not JSON or when
// any setting of it would make other tokens than GPT-2's byte-level BPE: another model, a normalizer,
// another pre-tokenizer or one that adds a space, added tokens beside <|endoftext|>, a post-processor
// that adds tokens. `truncation` and `padding` are those of a call, not of the tokenizer: not looked at.
// Safe on hostile input.
absl::StatusOr<TokenizerTables> ParseTokenizerJson(absl::string_view json);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_TOKENIZER_JSON_H_
