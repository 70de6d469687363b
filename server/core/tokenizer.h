// The tokenizer as the rest of the server sees it; server/tokenizer implements it.
#ifndef HYDROPHONE_SERVER_CORE_TOKENIZER_H_
#define HYDROPHONE_SERVER_CORE_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/base/utf8.h"

namespace hydrophone {

// One token of an encoded input and the bytes [begin, end) of the input that it stands for.
struct EncodedToken {
  uint32_t id = 0;
  uint32_t begin = 0;
  uint32_t end = 0;

  friend bool operator==(const EncodedToken&, const EncodedToken&) = default;
};

// What the spelling of a special token ("<|endoftext|>") in the input means.
enum class SpecialTokens {
  kAsTokens,   // one special token, as Hugging Face's tokenizer does by default
  kAsLiteral,  // ordinary text, split like any other
};

// How many bytes a token stands for: its piece has one character for each.
inline size_t TokenBytes(absl::string_view piece) { return CountCharacters(piece); }

// Byte-level BPE. Every sequence of fewer than 2^32 bytes can be encoded, and decoding the ids gives the same bytes
// back. Thread-safe: all methods are const and may be called from any number of threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Encodes `bytes`, which need not be valid UTF-8. Linear in its length, up to the merges of one word.
  virtual std::vector<EncodedToken> Encode(absl::string_view bytes, SpecialTokens specials) const = 0;

  // The bytes that `ids` stand for. INVALID_ARGUMENT, naming the first one, when an id is outside the vocabulary.
  virtual absl::StatusOr<std::string> Decode(absl::Span<const uint32_t> ids) const = 0;

  // The token as the vocabulary writes it: UTF-8, as a rule one printable character for each byte that the token stands
  // for ("Ġworld"). A piece with a character outside that alphabet stands for its own UTF-8. `id` must be below
  // vocab_size().
  virtual absl::string_view Piece(uint32_t id) const = 0;

  virtual uint32_t vocab_size() const = 0;

  // The id of "<|endoftext|>", which is GPT-2's beginning-of-sequence token too.
  virtual uint32_t bos_id() const = 0;

  // SHA-256, in lower-case hexadecimal, of the files that were read: of vocab.json's bytes followed by merges.txt's, or
  // of tokenizer.json's.
  virtual absl::string_view sha256() const = 0;
};

// The token's piece, of any id that a model may have: empty for one that the tokenizer lacks, such as the rows that pad
// an embedding to a round size. It stands for no bytes, as Hugging Face decodes it.
inline absl::string_view PieceOf(const Tokenizer& tokenizer, uint32_t id) {
  return id < tokenizer.vocab_size() ? tokenizer.Piece(id) : absl::string_view();
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_TOKENIZER_H_
