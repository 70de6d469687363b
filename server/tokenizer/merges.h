// The merges of a byte-level BPE: merges.txt.
#ifndef HYDROPHONE_SERVER_TOKENIZER_MERGES_H_
#define HYDROPHONE_SERVER_TOKENIZER_MERGES_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/tokenizer/vocabulary.h"

namespace hydrophone {

// What a pair of neighbouring pieces becomes.
struct Merge {
  // Its place in merges.txt. Of all possible merges the one of lowest rank is done first.
  uint32_t rank = 0;
  // The piece that replaces the pair.
  uint32_t id = 0;
};

// Immutable once parsed; safe to read from any number of threads.
class MergeTable {
 public:
  // `text` has a merge a line, the two pieces with one space between them, most important first.
  // Empty lines, lines that begin with "#version" and a carriage return at the end of a line are
  // skipped. INVALID_ARGUMENT naming the line when it is anything else, when a piece or the joined
  // piece is not in `vocabulary`, and when a pair comes twice. Safe on hostile input.
  static absl::StatusOr<MergeTable> Parse(absl::string_view text, const Vocabulary& vocabulary);

  // The merge of `left` and `right`, which must be ids of the vocabulary; null if they do not
  // merge. The pointer lives as long as the table.
  const Merge* Find(uint32_t left, uint32_t right) const;

 private:
  MergeTable() = default;
  absl::Status Add(absl::string_view line, const Vocabulary& vocabulary);

  absl::flat_hash_map<uint64_t, Merge> merges_;  // by left << 32 | right
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_MERGES_H_
