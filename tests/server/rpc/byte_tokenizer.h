// A tokenizer without a vocabulary: a token a byte.
#ifndef HYDROPHONE_TESTS_SERVER_RPC_BYTE_TOKENIZER_H_
#define HYDROPHONE_TESTS_SERVER_RPC_BYTE_TOKENIZER_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/core/tokenizer.h"

namespace hydrophone {

// Ids 0-255 are bytes, written as letters "b0" to "b255"; 256 is <|endoftext|>, which text never holds.
class ByteTokenizer : public Tokenizer {
 public:
  ByteTokenizer() {
    for (int id = 0; id < 256; ++id) pieces_.push_back(absl::StrCat("b", id));
    pieces_.push_back("<|endoftext|>");
  }

  std::vector<EncodedToken> Encode(absl::string_view bytes, SpecialTokens) const override {
    std::vector<EncodedToken> tokens;
    for (uint32_t i = 0; i < bytes.size(); ++i) tokens.push_back({static_cast<unsigned char>(bytes[i]), i, i + 1});
    return tokens;
  }
  absl::StatusOr<std::string> Decode(absl::Span<const uint32_t> ids) const override {
    std::string bytes;
    for (uint32_t id : ids) bytes.push_back(static_cast<char>(id));
    return bytes;
  }
  absl::string_view Piece(uint32_t id) const override { return pieces_[id]; }
  uint32_t vocab_size() const override { return 257; }
  uint32_t bos_id() const override { return 256; }
  absl::string_view sha256() const override { return "byte-tokenizer"; }

 private:
  std::vector<std::string> pieces_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_SERVER_RPC_BYTE_TOKENIZER_H_
