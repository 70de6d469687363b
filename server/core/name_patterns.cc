#include "server/core/name_patterns.h"

#include <string>

namespace hydrophone {
namespace {

std::string RegexOf(absl::string_view pattern) {
  std::string regex;
  bool inside = false;
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '*') {
      regex += ".*";
    } else if (c == '{' && !inside && pattern.find('}', at) != absl::string_view::npos) {
      inside = true;
      regex += "(?:";
    } else if (c == '}' && inside) {
      inside = false;
      regex += ')';
    } else if (c == ',' && inside) {
      regex += '|';
    } else {
      regex += RE2::QuoteMeta(std::string(1, c));
    }
  }
  return regex;
}

RE2::Options QuietBytes() {
  RE2::Options options(RE2::Quiet);
  options.set_encoding(RE2::Options::EncodingLatin1);
  return options;
}

}  // namespace

NamePattern::NamePattern(absl::string_view pattern) : regex_(RegexOf(pattern), QuietBytes()) {}

bool NamePattern::Matches(absl::string_view name) const {
  return regex_.ok() && RE2::FullMatch(re2::StringPiece(name.data(), name.size()), regex_);
}

}  // namespace hydrophone
