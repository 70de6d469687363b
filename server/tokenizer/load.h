// The door of this layer: the tokenizer of a checkpoint's directory.
#ifndef HYDROPHONE_SERVER_TOKENIZER_LOAD_H_
#define HYDROPHONE_SERVER_TOKENIZER_LOAD_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/core/tokenizer.h"

namespace hydrophone {

// Reads a byte-level BPE as GPT-2's checkpoints hold it: tokenizer.json, or, where that is not there, vocab.json and
// merges.txt; beside them tokenizer_config.json, special_tokens_map.json and added_tokens.json, which may be missing
// (see ReadTokenSettings). A directory with none of the first three has no tokenizer: a NoTokenizer. The sha256() is
// that of the files read, one after the other in this order. Every error's message begins with the path of the file.
// NOT_FOUND: one of vocab.json and merges.txt is missing. INVALID_ARGUMENT: a file is no regular file, larger than 64
// MiB, or holds no such tokenizer (see Vocabulary::Make, MergeTable::Parse, TablesOf). UNAVAILABLE: it cannot be read.
// The files are not needed afterwards.
absl::StatusOr<std::unique_ptr<Tokenizer>> LoadTokenizer(const std::string& directory);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_LOAD_H_
