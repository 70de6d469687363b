// Tokens that are found in a text by their spelling, before it is split into words: <|endoftext|>, [PAD].
#ifndef HYDROPHONE_SERVER_TOKENIZER_ADDED_TOKENS_H_
#define HYDROPHONE_SERVER_TOKENIZER_ADDED_TOKENS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/core/tokenizer.h"
#include "server/tokenizer/vocabulary.h"

namespace hydrophone {

struct AddedToken {
  std::string content;
  bool lstrip = false;      // takes the white space before it along
  bool rstrip = false;      // takes the white space after it along
  bool normalized = false;  // is looked for after the others, in what they leave
  bool special = false;     // is text where the caller wants specials as text

  friend bool operator==(const AddedToken&, const AddedToken&) = default;
};

// A part of a text: an added token, or what lies between two of them.
struct TextPart {
  size_t begin = 0;
  size_t end = 0;
  std::optional<uint32_t> id;  // of the added token

  friend bool operator==(const TextPart&, const TextPart&) = default;
};

// Immutable; safe to use from any number of threads.
class AddedTokens {
 public:
  AddedTokens() = default;

  // A token that the vocabulary has keeps its id; the others get the ids after the vocabulary's, in their order. Of
  // tokens with equal contents the last counts, and is special if one of them is. Empty ones are left out.
  AddedTokens(std::vector<AddedToken> tokens, const Vocabulary& vocabulary);

  // The tokens with ids of their own, from the vocabulary's size on.
  const std::vector<std::string>& beyond() const { return beyond_; }

  // The id of an added token; nullopt if it is none.
  std::optional<uint32_t> Find(absl::string_view content) const;

  // The parts of `text` in order, none of them empty. Of the tokens that begin first, the longest is taken. Time is
  // linear in the text, times the tokens that begin with one byte.
  std::vector<TextPart> Split(absl::string_view text, SpecialTokens specials) const;

 private:
  struct Entry {
    AddedToken token;
    uint32_t id;
  };
  // Indices into entries_ by the first byte of the content, the longest content first.
  using ByFirstByte = std::array<std::vector<size_t>, 256>;

  const Entry* LongestAt(absl::string_view text, const ByFirstByte& index) const;
  void SplitPart(absl::string_view text, const TextPart& part, SpecialTokens specials, const ByFirstByte& index,
                 std::vector<TextPart>* parts) const;

  std::vector<Entry> entries_;
  std::vector<std::string> beyond_;
  ByFirstByte plain_;
  ByFirstByte normalized_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_ADDED_TOKENS_H_
