// Reading tokenizer.json: one file that holds what vocab.json and merges.txt hold, beside settings of
// Hugging Face's `tokenizers` library. transformers 5 saves nothing else.
#ifndef HYDROPHONE_SERVER_TOKENIZER_TOKENIZER_JSON_H_
#define HYDROPHONE_SERVER_TOKENIZER_TOKENIZER_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/tokenizer/vocab_json.h"

namespace hydrophone {

// What the two older files hold.
struct TokenizerTables {
  VocabularyEntries vocabulary;  // vocab.json's members, for Vocabulary::Make
  std::string merges_txt;        // for MergeTable::Parse; its first line is the first merge
};

// Reads tokenizer.json. INVALID_ARGUMENT, naming the member, what it is and what it must be, when `json` is not JSON or
// when any setting of it would make other tokens than GPT-2's byte-level BPE: another model, a normalizer, another
// pre-tokenizer or one that adds a space, added tokens beside <|endoftext|>, a post-processor that adds tokens.
// `truncation` and `padding` are a call's, not the tokenizer's, and are ignored. Safe on hostile input.
absl::StatusOr<TokenizerTables> ParseTokenizerJson(absl::string_view json);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_TOKENIZER_JSON_H_
