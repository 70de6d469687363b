#include "server/tokenizer/splitter.h"

#include "absl/strings/match.h"
#include "server/base/utf8.h"
#include "server/tokenizer/char_class.h"

namespace hydrophone {
namespace {

constexpr absl::string_view kContractions[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};

struct Run {
  size_t size = 0;       // bytes of all its characters
  size_t last_size = 0;  // bytes of its last character
};

// Finds the longest run of characters of `char_class` that begins at `begin`.
Run RunOf(CharClass char_class, absl::string_view text, size_t begin) {
  Run run;
  while (begin + run.size < text.size()) {
    const CodePoint next = ReadUtf8(text.substr(begin + run.size));
    if (ClassOf(next.value) != char_class) break;
    run.size += next.size;
    run.last_size = next.size;
  }
  return run;
}

// 's|'t|'re|'ve|'m|'ll|'d: 0 if none is there. No two of them begin alike, so their order does not
// matter.
size_t ContractionSize(absl::string_view text) {
  for (const absl::string_view contraction : kContractions) {
    if (absl::StartsWith(text, contraction)) return contraction.size();
  }
  return 0;
}

// \s+(?!\S)|\s+: a run leaves its last character to the word that follows, if one follows and more
// than that is left.
size_t SpacesSize(absl::string_view text) {
  const Run run = RunOf(CharClass::kSpace, text, 0);
  const bool reaches_end = run.size == text.size();
  const bool single = run.size == run.last_size;
  return reaches_end || single ? run.size : run.size - run.last_size;
}

}  // namespace

size_t FirstWordSize(absl::string_view text) {
  const size_t contraction = ContractionSize(text);
  if (contraction > 0) return contraction;
  const size_t space = text[0] == ' ' ? 1 : 0;
  if (space == text.size()) return space;
  const CharClass char_class = ClassOf(ReadUtf8(text.substr(space)).value);
  if (char_class == CharClass::kSpace) return SpacesSize(text);
  return space + RunOf(char_class, text, space).size;
}

}  // namespace hydrophone
