#include "server/tokenizer/word_merger.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace hydrophone {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();  // no neighbour on this side
constexpr uint32_t kTaken = 0;  // as `end`: the piece is out of the list (no piece ends at 0)

// Orders a heap so that its front is the merge to be done next.
constexpr auto kLater = [](const auto& a, const auto& b) {
  return std::tie(a.rank, a.left) > std::tie(b.rank, b.left);
};

}  // namespace

void WordMerger::Append(absl::string_view word, uint32_t offset,
                        std::vector<EncodedToken>* tokens) {
  Start(word);
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), kLater);
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
  for (uint32_t i = 0; i < size; ++i) Consider(i);
}

void WordMerger::Consider(uint32_t left) {
  const uint32_t right = pieces_[left].next;
  if (right == kNone) return;
  const Merge* merge = merges_->Find(pieces_[left].id, pieces_[right].id);
  if (merge == nullptr) return;
  heap_.push_back({merge->rank, left, pieces_[right].end, merge->id});
  std::push_heap(heap_.begin(), heap_.end(), kLater);
}

bool WordMerger::IsStale(const Candidate& candidate) const {
  const Piece& left = pieces_[candidate.left];
  if (left.end == kTaken || left.next == kNone) return true;
  return pieces_[left.next].end != candidate.end;
}

void WordMerger::Apply(const Candidate& candidate) {
  Piece& left = pieces_[candidate.left];
  Piece& right = pieces_[left.next];
  left.id = candidate.id;
  left.end = right.end;
  left.next = right.next;
  right.end = kTaken;
  if (left.next != kNone) pieces_[left.next].previous = candidate.left;
  if (left.previous != kNone) Consider(left.previous);
  Consider(candidate.left);
}

}  // namespace hydrophone
