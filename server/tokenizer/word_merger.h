// Byte-level BPE of one word.
#ifndef HYDROPHONE_SERVER_TOKENIZER_WORD_MERGER_H_
#define HYDROPHONE_SERVER_TOKENIZER_WORD_MERGER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/core/tokenizer.h"
#include "server/tokenizer/merges.h"
#include "server/tokenizer/vocabulary.h"

namespace hydrophone {

// Merges a word's bytes into pieces: again and again the leftmost of the possible merges of lowest
// rank, until none is possible. For n bytes that takes O(n log n), because the possible merges wait
// in a heap and the pieces form a linked list; a scan per merge would be quadratic, and a word has
// no greatest length.
//
// Keeps its working memory from word to word. Not thread-safe; the tables must outlive it.
class WordMerger {
 public:
  WordMerger(const Vocabulary* vocabulary, const MergeTable* merges) : vocabulary_(vocabulary), merges_(merges) {}

  // Appends the tokens of `word`, which begins at byte `offset` of the input. offset + word.size()
  // must be below 2^32.
  void Append(absl::string_view word, uint32_t offset, std::vector<EncodedToken>* tokens);

 private:
  // A piece of the word, in a list doubly linked by index in `pieces_`. A merge grows the left
  // piece and takes the right one out of the list.
  struct Piece {
    uint32_t id;
    uint32_t end;  // where it ends in the word; it begins at its own index
    uint32_t previous;
    uint32_t next;
  };

  // A merge of the piece at `left` with its right neighbour, possible when it was found. It still
  // is if the two together still end at `end`, since pieces only grow.
  struct Candidate {
    uint64_t order;  // rank << 32 | left; the merge with the lowest order is done first
    uint32_t end;
    uint32_t id;  // the piece that the two become

    uint32_t left() const { return static_cast<uint32_t>(order); }
    // Orders a heap of the standard library, which has the greatest in front.
    bool operator<(const Candidate& other) const { return order > other.order; }
  };

  void Start(absl::string_view word);
  // Appends the merge of the piece at `left` with its neighbour to heap_, if there is one.
  bool Collect(uint32_t left);
  // The same, and keeps heap_ a heap.
  void Consider(uint32_t left);
  bool IsStale(const Candidate& candidate) const;
  void Apply(const Candidate& candidate);

  const Vocabulary* vocabulary_;
  const MergeTable* merges_;
  std::vector<Piece> pieces_;
  std::vector<Candidate> heap_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_WORD_MERGER_H_
