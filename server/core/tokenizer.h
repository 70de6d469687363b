// The tokenizer as the rest of the server sees it; server/tokenizer implements it.
#ifndef HYDROPHONE_SERVER_CORE_TOKENIZER_H_
#define HYDROPHONE_SERVER_CORE_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hydrophone {

// One token of an encoded input and the bytes [begin, end) of the input that it stands for.
struct EncodedToken {
  uint32_t id = 0;
  uint32_t begin = 0;
  uint32_t end = 0;

  friend bool operator==(const EncodedToken&, const EncodedToken&) = default;
};

// What the spelling of a special token ("<|endoftext|>") in the input means. Of added tokens, only the special ones.
enum class SpecialTokens {
  kAsTokens,   // one special token, as Hugging Face's tokenizer does by default
  kAsLiteral,  // ordinary text, split like any other
};

// Byte-level BPE. Every sequence of fewer than 2^32 bytes can be encoded. Unless a setting of the model's own tokenizer
// adds a space or lets a token take white space along, the tokens lie side by side, cover the input, and decoding the
// ids gives the same bytes back. Thread-safe: all methods are const and may be called from any number of threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Encodes `bytes`, which need not be valid UTF-8, without the ids around a text. Linear in its length, up to the
  // merges of one word.
  virtual std::vector<EncodedToken> Encode(absl::string_view bytes, SpecialTokens specials) const = 0;

  // The bytes that `ids` stand for. INVALID_ARGUMENT, naming the first one, when an id is outside the vocabulary.
  virtual absl::StatusOr<std::string> Decode(absl::Span<const uint32_t> ids) const = 0;

  // The token as the vocabulary writes it: UTF-8, as a rule one printable character for each byte that the token stands
  // for ("Ġworld"). An added token is written as it is spelt. `id` must be below vocab_size().
  virtual absl::string_view Piece(uint32_t id) const = 0;

  // The bytes that a token stands for. A piece with a character outside that alphabet, and an added token, stand for
  // their own UTF-8. `id` must be below vocab_size().
  virtual absl::string_view Bytes(uint32_t id) const = 0;

  // How many ids there are, those of added tokens included. 0: there is no tokenizer.
  virtual uint32_t vocab_size() const = 0;

  // How many of them the vocabulary has; the others were added.
  virtual uint32_t base_vocab_size() const = 0;

  // The id of the beginning-of-sequence token ("<|endoftext|>" of GPT-2); nullopt if there is none.
  virtual std::optional<uint32_t> bos_id() const = 0;

  // Ids that the model's own tokenizer puts around every text; of GPT-2, none.
  virtual absl::Span<const uint32_t> ids_before_text() const = 0;
  virtual absl::Span<const uint32_t> ids_after_text() const = 0;

  // Whether a space is put in front of a text that does not begin with one.
  virtual bool adds_prefix_space() const = 0;

  // What its files hold that does not count, a sentence each.
  virtual absl::Span<const std::string> notes() const = 0;

  // SHA-256, in lower-case hexadecimal, of the bytes of the files that were read, one after the other; empty if there
  // is no tokenizer.
  virtual absl::string_view sha256() const = 0;
};

// What stands in the place of the tokenizer of a model that has none: no id has a spelling.
class NoTokenizer final : public Tokenizer {
 public:
  std::vector<EncodedToken> Encode(absl::string_view, SpecialTokens) const override { return {}; }
  absl::StatusOr<std::string> Decode(absl::Span<const uint32_t>) const override { return std::string(); }
  absl::string_view Piece(uint32_t) const override { return {}; }
  absl::string_view Bytes(uint32_t) const override { return {}; }
  uint32_t vocab_size() const override { return 0; }
  uint32_t base_vocab_size() const override { return 0; }
  std::optional<uint32_t> bos_id() const override { return std::nullopt; }
  absl::Span<const uint32_t> ids_before_text() const override { return {}; }
  absl::Span<const uint32_t> ids_after_text() const override { return {}; }
  bool adds_prefix_space() const override { return false; }
  absl::Span<const std::string> notes() const override { return {}; }
  absl::string_view sha256() const override { return {}; }
};

inline bool IsMissing(const Tokenizer& tokenizer) { return tokenizer.vocab_size() == 0; }

// The token's piece, of any id that a model may have: empty for one that the tokenizer lacks, such as the rows that pad
// an embedding to a round size. It stands for no bytes, as Hugging Face decodes it.
inline absl::string_view PieceOf(const Tokenizer& tokenizer, uint32_t id) {
  return id < tokenizer.vocab_size() ? tokenizer.Piece(id) : absl::string_view();
}

// How many bytes such an id stands for.
inline size_t BytesOf(const Tokenizer& tokenizer, uint32_t id) {
  return id < tokenizer.vocab_size() ? tokenizer.Bytes(id).size() : 0;
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_TOKENIZER_H_
