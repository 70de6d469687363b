// The door of this layer: a checkpoint directory's two files into a Tokenizer.
#ifndef HYDROPHONE_SERVER_TOKENIZER_LOAD_H_
#define HYDROPHONE_SERVER_TOKENIZER_LOAD_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/core/tokenizer.h"

namespace hydrophone {

// Reads a byte-level BPE as GPT-2's checkpoints hold it. Every error's message begins with the path
// of the file. NOT_FOUND: a file is missing. INVALID_ARGUMENT: it is no regular file, larger than
// 64 MiB, or what it says is no such tokenizer (see Vocabulary::Parse and MergeTable::Parse).
// UNAVAILABLE: it cannot be read. The files are not needed afterwards.
absl::StatusOr<std::unique_ptr<Tokenizer>> LoadTokenizer(const std::string& vocab_json_path,
                                                         const std::string& merges_txt_path);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_LOAD_H_
