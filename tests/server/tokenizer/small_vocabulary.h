// Vocabularies that a test can read at a glance, and the default model's real one.
#ifndef HYDROPHONE_TESTS_SERVER_TOKENIZER_SMALL_VOCABULARY_H_
#define HYDROPHONE_TESTS_SERVER_TOKENIZER_SMALL_VOCABULARY_H_

#include <string>
#include <vector>

#include "server/core/tokenizer.h"
#include "server/tokenizer/vocabulary.h"

namespace hydrophone {

// The directory of the default model's vocab.json and merges.txt, from the repository's root.
inline constexpr char kDefaultModel[] = "server/models/hydrophone-gpt2-tiny/";

// A vocab.json: the 256 bytes with their own values as ids, <|endoftext|> with 256, then `pieces`.
// The pieces must need no escaping in JSON.
std::string SmallVocabJson(const std::vector<std::string>& pieces);

// A tokenizer.json as Hugging Face's library writes GPT-2's, with that vocabulary. `merges` is a JSON array.
std::string SmallTokenizerJson(const std::vector<std::string>& pieces, const std::string& merges);

// SmallVocabJson, parsed.
Vocabulary SmallVocabulary(const std::vector<std::string>& pieces);

// The default model's tokenizer, loaded once per program.
const Tokenizer& Gpt2();

// The pieces of `tokens` in their printable form.
std::vector<std::string> PiecesOf(const Tokenizer& tokenizer, const std::vector<EncodedToken>& tokens);

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_SERVER_TOKENIZER_SMALL_VOCABULARY_H_
