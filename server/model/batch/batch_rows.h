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
  absl::Span<const int64_t> rows;  // rows[p]: the row of position p
  // The first position whose row is computed for this sequence alone; from there on its rows lie side by side.
  int64_t own_from = 0;

  int64_t count() const { return static_cast<int64_t>(rows.size()); }
};

// A sequence is a run, counted over the whole batch: member after member, and each member's runs in their order. Rows
// are assigned in that order, so that a member that shares no rows has all of its rows in one piece of memory.
//
//   tokens           rows of the matrices
//   "a b c d"        0 1 2 3
//   "a b x"          0 1 4      own rows from position 2 on
//   "a b x y"        0 1 4 5    own rows from position 3 on
//
// A row's value depends on its own past alone, so one row serves all sequences that have that past. Runs with edits or
// dropout, and runs of which a capture asks at a point that is by_run(), share no rows.
class BatchRows {
 public:
  // With `share` false, every position has a row of its own. The batch and its plans outlive this.
  BatchRows(absl::Span<const BatchMember> batch, bool share);

  // Goes on with these members only; the sequences of the others have no positions any more. Returns, for each row, the
  // row that it was before; nothing when these are the members already.
  std::optional<std::vector<int64_t>> Keep(const std::vector<bool>& members);

  // The number of rows that are computed.
  int64_t rows() const { return static_cast<int64_t>(token_ids_.size()); }
  // The number of positions that a row of another sequence serves: what sharing saves.
  int64_t shared() const { return static_cast<int64_t>(row_of_.size()) - rows(); }
  // token_ids()[i], positions()[i]: what row i computes.
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
  // The first row of a sequence that shares none; its rows lie side by side.
  int64_t FirstRowOf(size_t sequence) const { return row_of_[static_cast<size_t>(first_[sequence])]; }

  // A member's first sequence, and the batch's row for row `plan_row` of the member's own matrix (see Plan).
  size_t FirstSequenceOf(size_t member) const { return first_sequence_[member]; }
  int64_t RowOf(size_t member, int64_t plan_row) const {
    return row_of_[static_cast<size_t>(first_token_[member] + plan_row)];
  }

 private:
  void AssignRows();
  // Adds the rows of the next sequence, whose first `shared` ones are those of sequence `of`.
  void AddRows(const std::vector<uint32_t>& token_ids, size_t of, int64_t shared);

  absl::Span<const BatchMember> batch_;
  bool share_;
  std::vector<bool> members_;           // whether each member has rows
  std::vector<uint32_t> token_ids_;     // each row's
  std::vector<int64_t> positions_;      // each row's
  std::vector<int64_t> row_of_;         // the row of each position of each sequence, one sequence after another
  std::vector<int64_t> first_;          // where each sequence begins in row_of_, and where the last one ends
  std::vector<int64_t> own_from_;       // each sequence's (see SequenceRows)
  std::vector<int64_t> first_token_;    // where each member begins in row_of_
  std::vector<size_t> first_sequence_;  // each member's first sequence
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_BATCH_BATCH_ROWS_H_
