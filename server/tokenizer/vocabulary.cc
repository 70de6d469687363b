#include "server/tokenizer/vocabulary.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/tokenizer/byte_alphabet.h"

namespace hydrophone {

std::string ShowPiece(absl::string_view piece) {
  constexpr size_t kShownBytes = 40;
  const bool cut = piece.size() > kShownBytes;
  return absl::StrCat("\"", absl::CHexEscape(piece.substr(0, kShownBytes)), cut ? "...\"" : "\"");
}

absl::StatusOr<Vocabulary> Vocabulary::Parse(absl::string_view json) {
  absl::StatusOr<VocabularyEntries> entries = ParseVocabJson(json);
  if (!entries.ok()) return entries.status();
  return Make(*std::move(entries));
}

absl::StatusOr<Vocabulary> Vocabulary::Make(VocabularyEntries entries) {
  Vocabulary vocabulary;
  absl::Status status = vocabulary.TakePieces(std::move(entries));
  if (status.ok()) status = vocabulary.FindBytes();
  if (!status.ok()) return status;
  return vocabulary;
}

std::optional<uint32_t> Vocabulary::Find(absl::string_view piece) const {
  const auto found = ids_.find(piece);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

// With as many ids as places, none out of range and none twice, there are no gaps either.
absl::Status Vocabulary::TakePieces(VocabularyEntries&& entries) {
  const size_t size = entries.size();
  std::vector<bool> taken(size, false);
  pieces_.resize(size);
  ids_.reserve(size);
  for (auto& [piece, id] : entries) {
    if (id >= size) {
      return absl::InvalidArgumentError(absl::StrCat("piece ", ShowPiece(piece), " has id ", id, ", but ", size,
                                                     " pieces must have the ids 0 to ", size - 1, " without gaps"));
    }
    if (taken[id]) {
      return absl::InvalidArgumentError(
          absl::StrCat("id ", id, " is given to both ", ShowPiece(pieces_[id]), " and ", ShowPiece(piece)));
    }
    taken[id] = true;
    pieces_[id] = std::move(piece);
    if (!ids_.emplace(pieces_[id], static_cast<uint32_t>(id)).second) {
      return absl::InvalidArgumentError(absl::StrCat("piece ", ShowPiece(pieces_[id]), " comes twice"));
    }
  }
  bytes_.reserve(size);
  for (const std::string& piece : pieces_) bytes_.push_back(PieceBytes(piece));
  return absl::OkStatus();
}

absl::Status Vocabulary::FindBytes() {
  for (size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const absl::string_view piece = PrintableByte(static_cast<uint8_t>(byte));
    const std::optional<uint32_t> id = Find(piece);
    if (!id.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("byte ", byte, " has no piece of its own (", ShowPiece(piece), "): not a byte-level BPE"));
    }
    byte_ids_[byte] = *id;
  }
  return absl::OkStatus();
}

}  // namespace hydrophone
