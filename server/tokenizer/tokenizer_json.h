// Reading tokenizer.json: one file that holds what vocab.json and merges.txt hold, beside settings of
// Hugging Face's `tokenizers` library. transformers 5 saves nothing else.
#ifndef HYDROPHONE_SERVER_TOKENIZER_TOKENIZER_JSON_H_
#define HYDROPHONE_SERVER_TOKENIZER_TOKENIZER_JSON_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tokenizer/token_settings.h"
#include "server/tokenizer/vocab_json.h"

namespace hydrophone {

// What the two older files hold.
struct TokenizerTables {
  VocabularyEntries vocabulary;  // vocab.json's members, for Vocabulary::Make
  std::string merges_txt;        // for MergeTable::Parse; its first line is the first merge
};

// All of these are safe on hostile JSON. Their errors are INVALID_ARGUMENT and name the member, what it is and what it
// must be.

// The pieces and merges. Refuses a model that is no BPE, and tables of another form.
absl::StatusOr<TokenizerTables> TablesOf(const nlohmann::json& document);

// Every setting that would make other tokens than GPT-2's byte-level BPE: of the model (dropout), a normalizer, another
// pre-tokenizer. `truncation` and `padding` are a call's, not the tokenizer's, and do not count.
std::vector<absl::Status> OtherThanGpt2(const nlohmann::json& document);

// What a post-processor puts around a text: ids of a template, alone or in a sequence. Refuses other kinds.
absl::StatusOr<TextFrame> FrameOf(const nlohmann::json& post_processor);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_TOKENIZER_JSON_H_
