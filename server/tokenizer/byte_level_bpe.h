// The tokenizer: added tokens, words, pieces.
#ifndef HYDROPHONE_SERVER_TOKENIZER_BYTE_LEVEL_BPE_H_
#define HYDROPHONE_SERVER_TOKENIZER_BYTE_LEVEL_BPE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/core/tokenizer.h"
#include "server/tokenizer/added_tokens.h"
#include "server/tokenizer/merges.h"
#include "server/tokenizer/token_settings.h"
#include "server/tokenizer/vocabulary.h"

namespace hydrophone {

// GPT-2's tokenizer, equal to Hugging Face's GPT2Tokenizer of the same settings on every valid UTF-8 text: the same
// ids. The offsets are bytes and exact, where Hugging Face gives those of whole characters. Inputs must be shorter than
// 4 GiB.
class ByteLevelBpe final : public Tokenizer {
 public:
  ByteLevelBpe(Vocabulary vocabulary, MergeTable merges, TokenSettings settings, std::string sha256);

  // The text on each side of an added token is split as though the input ended or began there (so a space before it is
  // a token of its own).
  std::vector<EncodedToken> Encode(absl::string_view bytes, SpecialTokens specials) const override;

  absl::StatusOr<std::string> Decode(absl::Span<const uint32_t> ids) const override;

  absl::string_view Piece(uint32_t id) const override;
  absl::string_view Bytes(uint32_t id) const override;
  uint32_t vocab_size() const override { return vocabulary_.size() + static_cast<uint32_t>(added_.beyond().size()); }
  uint32_t base_vocab_size() const override { return vocabulary_.size(); }
  std::optional<uint32_t> bos_id() const override { return bos_id_; }
  absl::Span<const uint32_t> ids_before_text() const override { return frame_.before; }
  absl::Span<const uint32_t> ids_after_text() const override { return frame_.after; }
  bool adds_prefix_space() const override { return add_prefix_space_; }
  absl::Span<const std::string> notes() const override { return notes_; }
  absl::string_view sha256() const override { return sha256_; }

 private:
  Vocabulary vocabulary_;
  MergeTable merges_;
  AddedTokens added_;
  bool add_prefix_space_;
  std::optional<uint32_t> bos_id_;
  TextFrame frame_;
  std::vector<std::string> notes_;
  std::string sha256_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_BYTE_LEVEL_BPE_H_
