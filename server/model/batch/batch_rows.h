// Which row of a batch's matrices holds which position of which run: runs that begin with the same tokens share the
// rows up to where they part.
#ifndef HYDROPHONE_SERVER_MODEL_BATCH_BATCH_ROWS_H_
#define HYDROPHONE_SERVER_MODEL_BATCH_BATCH_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "server/core/engine.h"

namespace hydrophone {

// Where one sequence's rows are.
struct SequenceRows {
  absl::Span<const int64_t> rows;  // of each position
  int64_t own_from =
      0;  // the first position whose row is computed for this sequence; from there on they lie side by side

  int64_t count() const { return static_cast<int64_t>(rows.size()); }
};

// A sequence is a run, counted over the whole batch: member after member, in each run after run. Rows are given out in
// that order, so that what a member asks for is one piece of memory where it shares nothing.
//
//   tokens           rows of the matrices
//   "a b c d"        0 1 2 3
//   "a b x"          0 1 4      own rows from position 2 on
//   "a b x y"        0 1 4 5    own rows from position 3 on
//
// A row's value depends on its own past alone, so that one row serves all who have that past. Runs that are not only
// looked at (edits, dropout) or whose attention is laid out in squares share nothing.
class BatchRows {
 public:
  // With `share` false, every position has a row of its own. The batch and its plans outlive this.
  BatchRows(absl::Span<const BatchMember> batch, bool share);

  // Goes on with these members only; the others' sequences have no positions any more. Gives the row that each row was
  // before; nothing when these are the members already.
  std::optional<std::vector<int64_t>> Keep(const std::vector<bool>& members);

  // Rows that are computed.
  int64_t rows() const { return static_cast<int64_t>(token_ids_.size()); }
  // Of each row.
  const std::vector<uint32_t>& token_ids() const { return token_ids_; }
  const std::vector<int64_t>& positions() const { return positions_; }

  size_t sequences() const { return first_.size() - 1; }
  int64_t CountOf(size_t sequence) const { return first_[sequence + 1] - first_[sequence]; }
  SequenceRows Of(size_t sequence) const {
    return {absl::MakeConstSpan(row_of_).subspan(static_cast<size_t>(first_[sequence]),
                                                 static_cast<size_t>(CountOf(sequence))),
            own_from_[sequence]};
  }
  std::vector<SequenceRows> All() const;
  // For a sequence that shares nothing: the first of its rows, which lie side by side.
  int64_t FirstRowOf(size_t sequence) const { return row_of_[static_cast<size_t>(first_[sequence])]; }

  // A member's first sequence, and the row of a row of its plan's matrix.
  size_t FirstSequenceOf(size_t member) const { return first_sequence_[member]; }
  int64_t RowOf(size_t member, int64_t plan_row) const {
    return row_of_[static_cast<size_t>(first_token_[member] + plan_row)];
  }

 private:
  void GiveOut();
  // Of the last sequence: the first `shared` are those of another.
  void AddRows(const std::vector<uint32_t>& token_ids, size_t of, int64_t shared);

  absl::Span<const BatchMember> batch_;
  bool share_;
  std::vector<bool> members_;           // that have rows
  std::vector<uint32_t> token_ids_;     // of each row
  std::vector<int64_t> positions_;      // of each row
  std::vector<int64_t> row_of_;         // of each position of each sequence, one sequence after another
  std::vector<int64_t> first_;          // of each sequence, in row_of_; one more at the end
  std::vector<int64_t> own_from_;       // of each sequence
  std::vector<int64_t> first_token_;    // of each member, in row_of_
  std::vector<size_t> first_sequence_;  // of each member
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_BATCH_BATCH_ROWS_H_
