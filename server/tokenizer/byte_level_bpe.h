// The tokenizer: special tokens, words, pieces.
#ifndef HYDROPHONE_SERVER_TOKENIZER_BYTE_LEVEL_BPE_H_
#define HYDROPHONE_SERVER_TOKENIZER_BYTE_LEVEL_BPE_H_

#include <string>
#include <utility>
#include <vector>

#include "server/core/tokenizer.h"
#include "server/tokenizer/merges.h"
#include "server/tokenizer/vocabulary.h"

namespace hydrophone {

// GPT-2's tokenizer, equal to Hugging Face's GPT2TokenizerFast on every valid UTF-8 text: the same
// ids, whose bytes lie side by side and cover the input. The offsets are bytes and exact, where
// Hugging Face gives those of whole characters. Inputs must be shorter than 4 GiB.
class ByteLevelBpe final : public Tokenizer {
 public:
  ByteLevelBpe(Vocabulary vocabulary, MergeTable merges, std::string sha256)
      : vocabulary_(std::move(vocabulary)), merges_(std::move(merges)), sha256_(std::move(sha256)) {}

  // With kAsTokens every <|endoftext|> is the special token, and the text on each side of it is
  // split as though the input ended or began there (so a space before it is a token of its own).
  std::vector<EncodedToken> Encode(absl::string_view bytes, SpecialTokens specials) const override;

  absl::StatusOr<std::string> Decode(absl::Span<const uint32_t> ids) const override;

  absl::string_view Piece(uint32_t id) const override { return vocabulary_.piece(id); }
  uint32_t vocab_size() const override { return vocabulary_.size(); }
  uint32_t bos_id() const override { return vocabulary_.end_of_text(); }
  absl::string_view sha256() const override { return sha256_; }

 private:
  Vocabulary vocabulary_;
  MergeTable merges_;
  std::string sha256_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_BYTE_LEVEL_BPE_H_
