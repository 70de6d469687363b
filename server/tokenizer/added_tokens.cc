// The rules are those of Hugging Face's `tokenizers`, src/tokenizer/added_vocabulary.rs, version 0.23.
#include "server/tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "server/base/utf8.h"
#include "server/tokenizer/char_class.h"

namespace hydrophone {
namespace {

// Unicode's White_Space. The splitter's class is that of another regular expression library, which leaves U+0085 out.
bool IsSpace(const CodePoint& character) {
  constexpr char32_t kNextLine = 0x85;
  return character.value == kNextLine || ClassOf(character.value) == CharClass::kSpace;
}

// Where the white space at the end of text[begin, end) begins.
size_t TrailingSpaces(absl::string_view text, size_t begin, size_t end) {
  size_t spaces = begin;
  while (begin < end) {
    const CodePoint next = ReadUtf8(text.substr(begin, end - begin));
    begin += next.size;
    if (!IsSpace(next)) spaces = begin;
  }
  return spaces;
}

// Where the white space at the beginning of text[begin, end) ends.
size_t LeadingSpaces(absl::string_view text, size_t begin, size_t end) {
  while (begin < end) {
    const CodePoint next = ReadUtf8(text.substr(begin, end - begin));
    if (!IsSpace(next)) break;
    begin += next.size;
  }
  return begin;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const Vocabulary& vocabulary) {
  for (AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    const auto same = std::find_if(entries_.begin(), entries_.end(),
                                   [&](const Entry& entry) { return entry.token.content == token.content; });
    if (same != entries_.end()) {
      token.special |= same->token.special;
      same->token = std::move(token);
      continue;
    }
    std::optional<uint32_t> id = vocabulary.Find(token.content);
    if (!id.has_value()) {
      id = vocabulary.size() + static_cast<uint32_t>(beyond_.size());
      beyond_.push_back(token.content);
    }
    entries_.push_back({std::move(token), *id});
  }
  for (size_t i = 0; i < entries_.size(); ++i) {
    const AddedToken& token = entries_[i].token;
    ByFirstByte& index = token.normalized ? normalized_ : plain_;
    index[static_cast<unsigned char>(token.content[0])].push_back(i);
  }
  const auto longer = [this](size_t a, size_t b) {
    return entries_[a].token.content.size() > entries_[b].token.content.size();
  };
  for (ByFirstByte* index : {&plain_, &normalized_}) {
    for (std::vector<size_t>& of_byte : *index) std::stable_sort(of_byte.begin(), of_byte.end(), longer);
  }
}

std::optional<uint32_t> AddedTokens::Find(absl::string_view content) const {
  for (const Entry& entry : entries_) {
    if (entry.token.content == content) return entry.id;
  }
  return std::nullopt;
}

// The longest token with which `text` begins; null if there is none.
const AddedTokens::Entry* AddedTokens::LongestAt(absl::string_view text, const ByFirstByte& index) const {
  for (const size_t i : index[static_cast<unsigned char>(text[0])]) {
    if (absl::StartsWith(text, entries_[i].token.content)) return &entries_[i];
  }
  return nullptr;
}

void AddedTokens::SplitPart(absl::string_view text, const TextPart& part, SpecialTokens specials,
                            const ByFirstByte& index, std::vector<TextPart>* parts) const {
  size_t rest = part.begin;  // what is before it is already in `parts`
  for (size_t at = part.begin; at < part.end;) {
    const Entry* found = LongestAt(text.substr(at, part.end - at), index);
    if (found == nullptr) {
      ++at;
      continue;
    }
    const size_t after = at + found->token.content.size();
    if (!(found->token.special && specials == SpecialTokens::kAsLiteral)) {
      const size_t begin = found->token.lstrip ? std::max(TrailingSpaces(text, rest, at), rest) : at;
      const size_t end = found->token.rstrip ? LeadingSpaces(text, after, part.end) : after;
      if (rest < begin) parts->push_back({rest, begin, std::nullopt});
      parts->push_back({begin, end, found->id});
      rest = end;
    }
    at = after;
  }
  if (rest < part.end) parts->push_back({rest, part.end, std::nullopt});
}

std::vector<TextPart> AddedTokens::Split(absl::string_view text, SpecialTokens specials) const {
  std::vector<TextPart> plain;
  SplitPart(text, {0, text.size(), std::nullopt}, specials, plain_, &plain);
  std::vector<TextPart> parts;
  for (const TextPart& part : plain) {
    if (part.id.has_value()) {
      parts.push_back(part);
    } else {
      SplitPart(text, part, specials, normalized_, &parts);
    }
  }
  return parts;
}

}  // namespace hydrophone
