// The pieces of a byte-level BPE and their ids: vocab.json.
#ifndef HYDROPHONE_SERVER_TOKENIZER_VOCABULARY_H_
#define HYDROPHONE_SERVER_TOKENIZER_VOCABULARY_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/tokenizer/vocab_json.h"

namespace hydrophone {

// The spelling of GPT-2's only special token, which takes three roles unless a file says otherwise.
inline constexpr absl::string_view kEndOfText = "<|endoftext|>";

// Immutable once parsed; safe to read from any number of threads.
class Vocabulary {
 public:
  // INVALID_ARGUMENT, saying which piece and what, when a piece comes twice, when the ids are not exactly 0 to size-1
  // once each, and when one of the 256 bytes has no piece. Safe on hostile input.
  static absl::StatusOr<Vocabulary> Make(VocabularyEntries entries);

  // The same of vocab.json's text: one object from piece to id. INVALID_ARGUMENT, saying where, when it is none. Memory
  // is linear in the size of the text.
  static absl::StatusOr<Vocabulary> Parse(absl::string_view json);

  // The maps point into the strings, which stay where they are when a vocabulary moves.
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  uint32_t size() const { return static_cast<uint32_t>(pieces_.size()); }

  // The piece in its printable form, and the bytes that it stands for. `id` must be below size().
  const std::string& piece(uint32_t id) const { return pieces_[id]; }
  const std::string& bytes(uint32_t id) const { return bytes_[id]; }

  // The id of a printable piece; nullopt if there is no such piece.
  std::optional<uint32_t> Find(absl::string_view piece) const;

  // The ids of the 256 pieces of one byte, by byte.
  const std::array<uint32_t, 256>& byte_ids() const { return byte_ids_; }

 private:
  Vocabulary() = default;
  absl::Status TakePieces(VocabularyEntries&& entries);
  absl::Status FindBytes();

  std::vector<std::string> pieces_;                       // by id
  std::vector<std::string> bytes_;                        // by id
  absl::flat_hash_map<absl::string_view, uint32_t> ids_;  // keys are views of pieces_
  std::array<uint32_t, 256> byte_ids_{};
};

// `piece` for an error message: escaped to ASCII, cut when long.
std::string ShowPiece(absl::string_view piece);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_VOCABULARY_H_
