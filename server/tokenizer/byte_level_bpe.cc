#include "server/tokenizer/byte_level_bpe.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/tokenizer/splitter.h"
#include "server/tokenizer/word_merger.h"

namespace hydrophone {
namespace {

// Appends the tokens of text[begin, end), in which nothing is special.
void AppendText(absl::string_view text, size_t begin, size_t end, WordMerger* merger,
                std::vector<EncodedToken>* tokens) {
  while (begin < end) {
    const absl::string_view rest = text.substr(begin, end - begin);
    const size_t size = FirstWordSize(rest);
    merger->Append(rest.substr(0, size), static_cast<uint32_t>(begin), tokens);
    begin += size;
  }
}

}  // namespace

std::vector<EncodedToken> ByteLevelBpe::Encode(absl::string_view bytes, SpecialTokens specials) const {
  std::vector<EncodedToken> tokens;
  WordMerger merger(&vocabulary_, &merges_);
  size_t begin = 0;
  while (begin < bytes.size()) {
    const size_t special =
        specials == SpecialTokens::kAsTokens ? bytes.find(kEndOfText, begin) : absl::string_view::npos;
    const size_t end = std::min(special, bytes.size());
    AppendText(bytes, begin, end, &merger, &tokens);
    if (special == absl::string_view::npos) break;
    begin = special + kEndOfText.size();
    tokens.push_back({bos_id(), static_cast<uint32_t>(special), static_cast<uint32_t>(begin)});
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
    bytes += vocabulary_.bytes(ids[i]);
  }
  return bytes;
}

}  // namespace hydrophone
