#include "server/access/token_file.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/base/messages.h"

namespace hydrophone {
namespace {

constexpr size_t kDigestDigits = 64;
constexpr size_t kLongestName = 64;
constexpr uint32_t kMostWeight = 1000;
constexpr uint64_t kMostLimit = uint64_t{1} << 50;
const std::vector<absl::string_view> kKeys = {
    "sha256", "name", "weight", "role", "requests", "tokens_per_second", "bytes_in_flight"};

absl::Status Unexpected(absl::string_view key, absl::string_view got, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat(key, ": got \"", Printable(got), "\", expected ", expected));
}

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("._-@", c);
}

absl::Status ReadDigest(absl::string_view value, std::string* digest) {
  if (value.size() != kDigestDigits || !std::all_of(value.begin(), value.end(), absl::ascii_isxdigit)) {
    // A token that was pasted in the place of its digest must not go into a log.
    return absl::InvalidArgumentError(
        absl::StrCat("sha256: got ", value.size(), " characters, expected 64 hexadecimal digits"));
  }
  *digest = absl::AsciiStrToLower(value);
  return absl::OkStatus();
}

absl::Status ReadName(absl::string_view value, std::string* name) {
  if (value.empty() || value.size() > kLongestName || !std::all_of(value.begin(), value.end(), IsNameCharacter)) {
    return Unexpected("name", value, "1 to 64 letters, digits, \".\", \"_\", \"-\", \"@\"");
  }
  *name = std::string(value);
  return absl::OkStatus();
}

absl::Status ReadRole(absl::string_view value, Role* role) {
  if (value != "use" && value != "operate") return Unexpected("role", value, "use or operate");
  *role = value == "use" ? Role::kUse : Role::kOperate;
  return absl::OkStatus();
}

template <typename Number>
absl::Status ReadNumber(absl::string_view key, absl::string_view value, Number most, Number* number) {
  if (!std::all_of(value.begin(), value.end(), absl::ascii_isdigit) || !absl::SimpleAtoi(value, number) ||
      *number < 1 || *number > most) {
    return Unexpected(key, value, absl::StrCat("a whole number from 1 to ", most));
  }
  return absl::OkStatus();
}

absl::Status ReadPair(absl::string_view key, absl::string_view value, Token* token) {
  TokenHolder& holder = token->holder;
  if (key == "sha256") return ReadDigest(value, &token->sha256);
  if (key == "name") return ReadName(value, &holder.name);
  if (key == "weight") return ReadNumber(key, value, kMostWeight, &holder.weight);
  if (key == "role") return ReadRole(value, &holder.role);
  if (key == "requests") return ReadNumber(key, value, kMostLimit, &holder.limits.requests);
  if (key == "tokens_per_second") return ReadNumber(key, value, kMostLimit, &holder.limits.tokens_per_second);
  return ReadNumber(key, value, kMostLimit, &holder.limits.bytes_in_flight);
}

absl::StatusOr<Token> ReadLine(absl::string_view line) {
  Token token;
  std::set<absl::string_view> seen;
  for (absl::string_view word : absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(word, absl::MaxSplits('=', 1));
    if (std::find(kKeys.begin(), kKeys.end(), pair.first) == kKeys.end()) {
      // What is no key may be a token: its length alone is told.
      return absl::InvalidArgumentError(absl::StrCat("got a word of ", word.size(),
                                                     " characters that begins with no key, expected KEY=VALUE with ",
                                                     absl::StrJoin(kKeys, ", ")));
    }
    if (!seen.insert(pair.first).second) {
      return absl::InvalidArgumentError(absl::StrCat(pair.first, ": got it twice, expected it once"));
    }
    if (absl::Status read = ReadPair(pair.first, pair.second, &token); !read.ok()) return read;
  }
  for (absl::string_view key : {"sha256", "name"}) {
    if (seen.count(key) == 0) return absl::InvalidArgumentError(absl::StrCat(key, ": got none, expected one"));
  }
  return token;
}

// What `token` contradicts in the lines before it.
absl::Status CheckAgainst(const std::vector<Token>& earlier, const std::vector<size_t>& lines, const Token& token) {
  for (size_t i = 0; i < earlier.size(); ++i) {
    if (earlier[i].sha256 == token.sha256) {
      return absl::InvalidArgumentError(absl::StrCat("sha256: got that of line ", lines[i], ", expected another"));
    }
    if (earlier[i].holder.name == token.holder.name && earlier[i].holder != token.holder) {
      return absl::InvalidArgumentError(absl::StrCat("name: got \"", token.holder.name, "\" as line ", lines[i],
                                                     " has it, expected the same weight, role and limits as there"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Token>> ParseTokenFile(absl::string_view text) {
  std::vector<Token> tokens;
  std::vector<size_t> lines;  // of tokens
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    absl::StatusOr<Token> token = ReadLine(line);
    absl::Status wrong = token.ok() ? CheckAgainst(tokens, lines, *token) : token.status();
    if (!wrong.ok()) return Annotate(wrong, absl::StrCat("line ", number));
    tokens.push_back(*std::move(token));
    lines.push_back(number);
  }
  if (tokens.empty())
    return absl::InvalidArgumentError("got no token, expected at least one line with sha256 and name");
  return tokens;
}

}  // namespace hydrophone
