#include "server/plan/inputs/positions.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hydrophone {
namespace {

constexpr size_t kMaxSliceBytes = 64;
constexpr int64_t kFar = int64_t{1} << 40;
constexpr absl::string_view kSliceForm = "expected \"start:stop:step\" or one number";

// Reads a whole decimal integer with an optional sign, stopping at +-kFar.
bool ParseInteger(absl::string_view text, int64_t* value) {
  bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (text.empty()) return false;
  *value = 0;
  for (char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
    *value = std::min(kFar, *value * 10 + (c - '0'));
  }
  if (negative) *value = -*value;
  return true;
}

absl::Status BadSlice(absl::string_view got) {
  return absl::InvalidArgumentError(absl::StrCat("got ", got, ", ", kSliceForm));
}

std::string OutOfRange(int64_t position, int64_t length) {
  return absl::StrCat("got ", position, ", expected ", -length, " to ", length - 1, ": the run has ", length,
                      " tokens");
}

bool InRange(int64_t position, int64_t length) { return position >= -length && position < length; }

// The shortest sequence that is made; nullopt when none is.
std::optional<int64_t> ShortestOf(absl::Span<const int64_t> lengths) {
  std::optional<int64_t> shortest;
  for (int64_t length : lengths) {
    if (length != kNoRun && (!shortest || length < *shortest)) shortest = length;
  }
  return shortest;
}

std::vector<SelectedRows> SelectList(absl::Span<const int32_t> at, absl::string_view path,
                                     absl::Span<const int64_t> lengths, Violations* violations) {
  // A position of the shortest sequence is in all of them.
  if (std::optional<int64_t> shortest = ShortestOf(lengths)) {
    for (size_t i = 0; i < at.size(); ++i) {
      if (!InRange(at[i], *shortest)) violations->Add(absl::StrCat(path, ".at[", i, "]"), OutOfRange(at[i], *shortest));
    }
  }
  std::vector<SelectedRows> selected;
  selected.reserve(lengths.size());
  for (int64_t length : lengths) {
    selected.push_back(length == kNoRun ? SelectedRows() : SelectedRows(at, length));
  }
  return selected;
}

std::vector<SelectedRows> SelectSlice(absl::string_view text, absl::string_view path, absl::Span<const int64_t> lengths,
                                      Violations* violations) {
  std::vector<SelectedRows> selected(lengths.size());
  absl::StatusOr<Slice> slice = ParseSlice(text);
  if (!slice.ok()) {
    violations->Add(absl::StrCat(path, ".slice"), std::string(slice.status().message()));
    return selected;
  }
  std::optional<int64_t> shortest = ShortestOf(lengths);
  if (slice->single && shortest && !InRange(*slice->start, *shortest)) {
    violations->Add(absl::StrCat(path, ".slice"), OutOfRange(*slice->start, *shortest));
    return selected;
  }
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] != kNoRun) selected[i] = ApplySlice(*slice, lengths[i]);
  }
  return selected;
}

std::vector<SelectedRows> SelectPerInput(const v1::Positions& positions, absl::string_view path,
                                         absl::Span<const int64_t> lengths, Violations* violations) {
  std::vector<SelectedRows> selected(lengths.size());
  auto count = static_cast<size_t>(positions.per_input_size());
  if (count != lengths.size()) {
    violations->Add(absl::StrCat(path, ".per_input"),
                    absl::StrCat("got ", count, " selections, expected one for each of ", lengths.size(), " runs"));
    return selected;
  }
  for (size_t i = 0; i < count; ++i) {
    const v1::Positions& one = positions.per_input(static_cast<int>(i));
    std::string one_path = absl::StrCat(path, ".per_input[", i, "]");
    if (one.per_input_size() > 0) {
      violations->Add(std::move(one_path), "got per_input inside per_input, expected at or slice");
      continue;
    }
    selected[i] = SelectRows(&one, one_path, lengths.subspan(i, 1), violations)[0];
  }
  return selected;
}

}  // namespace

absl::StatusOr<Slice> ParseSlice(absl::string_view text) {
  if (text.size() > kMaxSliceBytes) {
    return BadSlice(absl::StrCat(text.size(), " bytes (at most ", kMaxSliceBytes, " are read)"));
  }
  std::string quoted = absl::StrCat("\"", text, "\"");
  std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  if (parts.size() > 3) return BadSlice(quoted);

  std::optional<int64_t> numbers[3];
  for (size_t i = 0; i < parts.size(); ++i) {
    int64_t value = 0;
    if (parts[i].empty() && parts.size() > 1) continue;
    if (!ParseInteger(parts[i], &value)) return BadSlice(quoted);
    numbers[i] = value;
  }
  if (numbers[2] == 0) {
    return absl::InvalidArgumentError(absl::StrCat("got ", quoted, ", expected a step other than 0"));
  }
  return Slice{numbers[0], numbers[1], numbers[2].value_or(1), parts.size() == 1};
}

int64_t SelectedRows::operator[](int64_t index) const {
  if (list_.empty()) return first_ + index * step_;
  int64_t position = list_[static_cast<size_t>(index)];
  return position < 0 ? position + length_ : position;
}

SelectedRows ApplySlice(const Slice& slice, int64_t length) {
  if (slice.single) return SelectedRows(*slice.start < 0 ? *slice.start + length : *slice.start, 1, 1);
  // A bound is clipped to [0, length]; with a negative step, to [-1, length - 1], where -1 stands before the first row.
  bool backwards = slice.step < 0;
  int64_t lowest = backwards ? -1 : 0;
  int64_t highest = backwards ? length - 1 : length;
  auto clip = [&](int64_t bound) { return std::clamp(bound < 0 ? bound + length : bound, lowest, highest); };
  int64_t start = slice.start ? clip(*slice.start) : (backwards ? highest : lowest);
  int64_t stop = slice.stop ? clip(*slice.stop) : (backwards ? lowest : highest);

  int64_t distance = backwards ? start - stop : stop - start;
  int64_t stride = backwards ? -slice.step : slice.step;
  int64_t count = distance > 0 ? (distance - 1) / stride + 1 : 0;
  return SelectedRows(start, slice.step, count);
}

std::vector<SelectedRows> SelectRows(const v1::Positions* positions, absl::string_view path,
                                     absl::Span<const int64_t> lengths, Violations* violations) {
  if (positions == nullptr) return SelectSlice(":", path, lengths, violations);
  int given = (positions->at_size() > 0) + !positions->slice().empty() + (positions->per_input_size() > 0);
  if (given != 1) {
    violations->Add(std::string(path),
                    absl::StrCat("got ", given, " of at, slice and per_input, expected exactly one"));
    return std::vector<SelectedRows>(lengths.size());
  }
  if (positions->at_size() > 0) return SelectList(positions->at(), path, lengths, violations);
  if (!positions->slice().empty()) return SelectSlice(positions->slice(), path, lengths, violations);
  return SelectPerInput(*positions, path, lengths, violations);
}

}  // namespace hydrophone
