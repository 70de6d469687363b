// A tokenizer without a vocabulary file: each byte is a token.
#ifndef HYDROPHONE_TESTS_FAKES_BYTE_TOKENIZER_H_
#define HYDROPHONE_TESTS_FAKES_BYTE_TOKENIZER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/core/tokenizer.h"

namespace hydrophone {

// Each byte is its own token; "<|endoftext|>" is token 256. A piece is the byte itself when it is printable ASCII, and
// U+0100 plus the byte otherwise.
class ByteTokenizer : public Tokenizer {
 public:
  static constexpr uint32_t kBos = 256;

  ByteTokenizer();
  std::vector<EncodedToken> Encode(absl::string_view bytes, SpecialTokens specials) const override;
  absl::StatusOr<std::string> Decode(absl::Span<const uint32_t> ids) const override;
  absl::string_view Piece(uint32_t id) const override { return pieces_[id]; }
  uint32_t vocab_size() const override { return kBos + 1; }
  absl::string_view Bytes(uint32_t id) const override { return bytes_[id]; }
  uint32_t base_vocab_size() const override { return vocab_size(); }
  std::optional<uint32_t> bos_id() const override { return bos; }
  absl::Span<const uint32_t> ids_before_text() const override { return before; }
  absl::Span<const uint32_t> ids_after_text() const override { return after; }
  bool adds_prefix_space() const override { return false; }
  absl::Span<const std::string> notes() const override { return {}; }
  absl::string_view sha256() const override { return "tokenizer-digest"; }

  std::optional<uint32_t> bos = kBos;
  std::vector<uint32_t> before;  // ids around a text
  std::vector<uint32_t> after;

 private:
  std::vector<std::string> pieces_;
  std::vector<std::string> bytes_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_BYTE_TOKENIZER_H_
