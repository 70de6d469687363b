// The door of this layer: the tokenizer of a checkpoint's directory.
#ifndef HYDROPHONE_SERVER_TOKENIZER_LOAD_H_
#define HYDROPHONE_SERVER_TOKENIZER_LOAD_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/core/tokenizer.h"

namespace hydrophone {

// Reads a byte-level BPE as GPT-2's checkpoints hold it: vocab.json and merges.txt, or, where neither is there,
// tokenizer.json. Its sha256() is that of the files read, one after the other. Every error's message begins with the
// path of the file. NOT_FOUND: a file is missing. INVALID_ARGUMENT: it is no regular file, larger than 64 MiB, or holds
// no such tokenizer (see Vocabulary::Parse, MergeTable::Parse and ParseTokenizerJson). UNAVAILABLE: it
// cannot be read. The files are not needed afterwards.
absl::StatusOr<std::unique_ptr<Tokenizer>> LoadTokenizer(const std::string& directory);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_LOAD_H_
