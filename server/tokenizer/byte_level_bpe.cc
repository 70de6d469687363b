#include "server/tokenizer/byte_level_bpe.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/tokenizer/splitter.h"
#include "server/tokenizer/word_merger.h"

namespace hydrophone {
namespace {

// Appends the tokens of text[begin, end), in which no token was added.
void AppendText(absl::string_view text, size_t begin, size_t end, WordMerger* merger,
                std::vector<EncodedToken>* tokens) {
  while (begin < end) {
    const absl::string_view rest = text.substr(begin, end - begin);
    const size_t size = FirstWordSize(rest);
    merger->Append(rest.substr(0, size), static_cast<uint32_t>(begin), tokens);
    begin += size;
  }
}

// The same with a space in front, unless the text begins with one. The space stands for none of the input's bytes.
void AppendSpacedText(absl::string_view text, size_t begin, size_t end, WordMerger* merger,
                      std::vector<EncodedToken>* tokens) {
  if (text[begin] == ' ') return AppendText(text, begin, end, merger, tokens);
  const std::string spaced = absl::StrCat(" ", text.substr(begin, end - begin));
  const size_t first = tokens->size();
  AppendText(spaced, 0, spaced.size(), merger, tokens);
  const auto place = [begin](uint32_t at) { return static_cast<uint32_t>(begin + at - std::min(at, 1U)); };
  for (size_t i = first; i < tokens->size(); ++i) {
    EncodedToken& token = (*tokens)[i];
    token.begin = place(token.begin);
    token.end = place(token.end);
  }
}

// What add_bos_token and add_eos_token put around a text.
TextFrame FrameByRoles(const TokenSettings& settings, const AddedTokens& added) {
  TextFrame frame;
  if (settings.add_bos && settings.bos.has_value()) frame.before.push_back(*added.Find(*settings.bos));
  if (settings.add_eos && settings.eos.has_value()) frame.after.push_back(*added.Find(*settings.eos));
  return frame;
}

}  // namespace

ByteLevelBpe::ByteLevelBpe(Vocabulary vocabulary, MergeTable merges, TokenSettings settings, std::string sha256)
    : vocabulary_(std::move(vocabulary)),
      merges_(std::move(merges)),
      added_(settings.added, vocabulary_),
      add_prefix_space_(settings.add_prefix_space),
      notes_(std::move(settings.notes)),
      sha256_(std::move(sha256)) {
  if (settings.bos.has_value()) bos_id_ = added_.Find(*settings.bos);
  frame_ = settings.frame.has_value() ? *std::move(settings.frame) : FrameByRoles(settings, added_);
}

std::vector<EncodedToken> ByteLevelBpe::Encode(absl::string_view bytes, SpecialTokens specials) const {
  std::vector<EncodedToken> tokens;
  WordMerger merger(&vocabulary_, &merges_);
  for (const TextPart& part : added_.Split(bytes, specials)) {
    if (part.id.has_value()) {
      tokens.push_back({*part.id, static_cast<uint32_t>(part.begin), static_cast<uint32_t>(part.end)});
    } else if (add_prefix_space_) {
      AppendSpacedText(bytes, part.begin, part.end, &merger, &tokens);
    } else {
      AppendText(bytes, part.begin, part.end, &merger, &tokens);
    }
  }
  return tokens;
}

absl::StatusOr<std::string> ByteLevelBpe::Decode(absl::Span<const uint32_t> ids) const {
  std::string bytes;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= vocab_size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("token id ", ids[i], " at index ", i, ": the vocabulary ends at ", vocab_size() - 1));
    }
    absl::StrAppend(&bytes, Bytes(ids[i]));
  }
  return bytes;
}

absl::string_view ByteLevelBpe::Piece(uint32_t id) const {
  return id < vocabulary_.size() ? vocabulary_.piece(id) : added_.beyond()[id - vocabulary_.size()];
}

absl::string_view ByteLevelBpe::Bytes(uint32_t id) const {
  return id < vocabulary_.size() ? vocabulary_.bytes(id) : added_.beyond()[id - vocabulary_.size()];
}

}  // namespace hydrophone
