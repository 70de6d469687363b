// The callers that a server knows, as a file lists them: one token a line.
//
//   # made with: openssl rand -hex 32 | tee alice.token | tr -d '\n' | sha256sum
//   sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 name=alice weight=2 requests=8
//   sha256=60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752 name=root role=operate
//
// A line is key=value pairs in any order, separated by blanks; what follows a "#" at its beginning is a comment.
//
//   sha256              of the token's bytes, 64 hexadecimal digits
//   name                of the caller: 1 to 64 letters, digits, ".", "_", "-", "@"; logs and turns go by it
//   weight              the caller's share of the server's work beside others, 1 to 1000; 1 unless given
//   role                use, or operate: also reflection; use unless given
//   requests            calls open at once
//   tokens_per_second   that the model computes for the caller; a second's worth may come at once
//   bytes_in_flight     captured bytes that the caller's open calls ask for together
//
// A limit that is not given is none. Tokens of one name (the old and the new one, while they change) share its limits,
// and say the same about everything but the digest. The tokens themselves are nowhere in the file; they must be random
// (128 bits or more), because a digest of a guessable word can be guessed too.
#ifndef HYDROPHONE_SERVER_ACCESS_TOKEN_FILE_H_
#define HYDROPHONE_SERVER_ACCESS_TOKEN_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

// What a caller may do; each role may do what those before it may.
enum class Role : uint8_t { kUse, kOperate };

// What one caller may take at once. 0: no limit.
struct CallerLimits {
  uint64_t requests = 0;
  uint64_t tokens_per_second = 0;
  uint64_t bytes_in_flight = 0;

  bool operator==(const CallerLimits&) const = default;
};

// What a line says beside its digest.
struct TokenHolder {
  std::string name;
  uint32_t weight = 1;
  Role role = Role::kUse;
  CallerLimits limits;

  bool operator==(const TokenHolder&) const = default;
};

struct Token {
  std::string sha256;  // 64 lower-case hexadecimal digits
  TokenHolder holder;
};

// The tokens of a file's text. INVALID_ARGUMENT, naming the line, what it got and what was expected, for a line that is
// not as above, a digest that stands twice, two lines of one name that differ, or a text without any token.
absl::StatusOr<std::vector<Token>> ParseTokenFile(absl::string_view text);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ACCESS_TOKEN_FILE_H_
