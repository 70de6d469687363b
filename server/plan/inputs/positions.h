// Which positions of a sequence a request selects: v1::Positions, read.
#ifndef HYDROPHONE_SERVER_PLAN_INPUTS_POSITIONS_H_
#define HYDROPHONE_SERVER_PLAN_INPUTS_POSITIONS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hydrophone/v1/input.pb.h"
#include "server/core/errors.h"

namespace hydrophone {

// "start:stop:step" as NumPy writes it, or one index.
struct Slice {
  std::optional<int64_t> start;  // the index itself when `single`
  std::optional<int64_t> stop;
  int64_t step = 1;     // never 0
  bool single = false;  // one index, not a slice: out of range is an error
};

// INVALID_ARGUMENT for anything but 1 to 3 decimal integers in at most 64 bytes, and for step 0. Integers above 2^40
// count as 2^40 and integers below -2^40 as -2^40: no sequence is as long.
absl::StatusOr<Slice> ParseSlice(absl::string_view text);

// Rows of one sequence in sending order: a progression, or a list.
class SelectedRows {
 public:
  SelectedRows() = default;
  SelectedRows(int64_t first, int64_t step, int64_t count) : first_(first), step_(step), count_(count) {}
  // `list` may hold negative positions, which count from `length`; it must outlive this.
  SelectedRows(absl::Span<const int32_t> list, int64_t length)
      : count_(static_cast<int64_t>(list.size())), length_(length), list_(list) {}

  int64_t count() const { return count_; }
  int64_t operator[](int64_t index) const;

 private:
  int64_t first_ = 0;
  int64_t step_ = 1;
  int64_t count_ = 0;
  int64_t length_ = 0;
  absl::Span<const int32_t> list_;
};

// What a slice selects of `length` rows, as Python's slice.indices does; a single index must be in
// range.
SelectedRows ApplySlice(const Slice& slice, int64_t length);

// The length of a run that is not made because its input was skipped: nothing is selected of it, and nothing is refused
// because of it.
inline constexpr int64_t kNoRun = -1;

// The rows that `positions` (null: all) selects of each of the sequences, in their order. Adds a
// violation, under `path`, for each position out of range and for everything else that is wrong; the result is then
// meaningless. Keeps pointers into `positions`.
std::vector<SelectedRows> SelectRows(const v1::Positions* positions, absl::string_view path,
                                     absl::Span<const int64_t> lengths, Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_INPUTS_POSITIONS_H_
