#include "server/tokenizer/word_merger.h"

#include <algorithm>
#include <limits>

namespace hydrophone {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();  // no neighbour on this side
constexpr uint32_t kTaken = 0;  // as `end`: the piece is out of the list (no piece ends at 0)

}  // namespace

void WordMerger::Append(absl::string_view word, uint32_t offset, std::vector<EncodedToken>* tokens) {
  Start(word);
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end());
    const Candidate candidate = heap_.back();
    heap_.pop_back();
    if (!IsStale(candidate)) Apply(candidate);
  }
  for (uint32_t i = 0; i < word.size(); i = pieces_[i].end) {
    tokens->push_back({pieces_[i].id, offset + i, offset + pieces_[i].end});
  }
}

void WordMerger::Start(absl::string_view word) {
  const uint32_t size = static_cast<uint32_t>(word.size());
  pieces_.clear();
  heap_.clear();
  for (uint32_t i = 0; i < size; ++i) {
    const uint32_t id = vocabulary_->byte_ids()[static_cast<unsigned char>(word[i])];
    pieces_.push_back({id, i + 1, i == 0 ? kNone : i - 1, i + 1 == size ? kNone : i + 1});
  }
  for (uint32_t i = 0; i < size; ++i) Collect(i);
  std::make_heap(heap_.begin(), heap_.end());
}

bool WordMerger::Collect(uint32_t left) {
  const uint32_t right = pieces_[left].next;
  if (right == kNone) return false;
  const Merge* merge = merges_->Find(pieces_[left].id, pieces_[right].id);
  if (merge == nullptr) return false;
  heap_.push_back({uint64_t{merge->rank} << 32 | left, pieces_[right].end, merge->id});
  return true;
}

void WordMerger::Consider(uint32_t left) {
  if (Collect(left)) std::push_heap(heap_.begin(), heap_.end());
}

bool WordMerger::IsStale(const Candidate& candidate) const {
  const Piece& left = pieces_[candidate.left()];
  if (left.end == kTaken || left.next == kNone) return true;
  return pieces_[left.next].end != candidate.end;
}

void WordMerger::Apply(const Candidate& candidate) {
  Piece& left = pieces_[candidate.left()];
  Piece& right = pieces_[left.next];
  left.id = candidate.id;
  left.end = right.end;
  left.next = right.next;
  right.end = kTaken;
  if (left.next != kNone) pieces_[left.next].previous = candidate.left();
  if (left.previous != kNone) Consider(left.previous);
  Consider(candidate.left());
}

}  // namespace hydrophone
