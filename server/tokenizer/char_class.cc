#include "server/tokenizer/char_class.h"

#include <algorithm>

#include "absl/types/span.h"
#include "server/tokenizer/unicode_tables.h"

namespace hydrophone {
namespace {

bool Contains(absl::Span<const CharRange> ranges, char32_t code_point) {
  const auto range =
      std::lower_bound(ranges.begin(), ranges.end(), code_point,
                       [](const CharRange& candidate, char32_t wanted) { return candidate.last < wanted; });
  return range != ranges.end() && range->first <= code_point;
}

}  // namespace

CharClass ClassOf(char32_t code_point) {
  if (Contains(kLetters, code_point)) return CharClass::kLetter;
  if (Contains(kSpaces, code_point)) return CharClass::kSpace;
  if (Contains(kNumbers, code_point)) return CharClass::kNumber;
  return CharClass::kOther;
}

}  // namespace hydrophone
