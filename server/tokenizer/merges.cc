#include "server/tokenizer/merges.h"

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hydrophone {
namespace {

uint64_t KeyOf(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }

absl::StatusOr<uint32_t> IdOf(absl::string_view piece, const Vocabulary& vocabulary) {
  const std::optional<uint32_t> id = vocabulary.Find(piece);
  if (id.has_value()) return *id;
  return absl::InvalidArgumentError(absl::StrCat("piece ", ShowPiece(piece), " is not in the vocabulary"));
}

}  // namespace

absl::StatusOr<MergeTable> MergeTable::Parse(absl::string_view text, const Vocabulary& vocabulary) {
  MergeTable table;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripSuffix(line, "\r");
    if (line.empty() || absl::StartsWith(line, "#version")) continue;
    const absl::Status status = table.Add(line, vocabulary);
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", status.message()));
    }
  }
  return table;
}

absl::Status MergeTable::Add(absl::string_view line, const Vocabulary& vocabulary) {
  const std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(line, absl::MaxSplits(' ', 1));
  const auto& [left_piece, right_piece] = pair;
  if (left_piece.empty() || right_piece.empty() || absl::StrContains(right_piece, ' ')) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected two pieces with one space between them, got ", ShowPiece(line)));
  }
  const absl::StatusOr<uint32_t> left = IdOf(left_piece, vocabulary);
  if (!left.ok()) return left.status();
  const absl::StatusOr<uint32_t> right = IdOf(right_piece, vocabulary);
  if (!right.ok()) return right.status();
  const absl::StatusOr<uint32_t> joined = IdOf(absl::StrCat(left_piece, right_piece), vocabulary);
  if (!joined.ok()) return joined.status();
  const Merge merge{static_cast<uint32_t>(merges_.size()), *joined};
  if (!merges_.emplace(KeyOf(*left, *right), merge).second) {
    return absl::InvalidArgumentError(absl::StrCat("the merge ", ShowPiece(line), " comes twice"));
  }
  return absl::OkStatus();
}

const Merge* MergeTable::Find(uint32_t left, uint32_t right) const {
  const auto found = merges_.find(KeyOf(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

}  // namespace hydrophone
