#include "server/access/bearer.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/bearer_token.h"
#include "server/core/errors.h"

namespace hydrophone {
namespace {

constexpr absl::string_view kScheme = "Bearer ";
constexpr size_t kLongestToken = 4096;

absl::Status BadToken(absl::string_view got) {
  return Unauthenticated("BAD_TOKEN", absl::StrCat("authorization: got ", got,
                                                   ", expected \"Bearer TOKEN\" with letters, digits and -._~+/="));
}

}  // namespace

absl::StatusOr<absl::string_view> BearerToken(absl::Span<const absl::string_view> authorization) {
  if (authorization.empty()) {
    return Unauthenticated("NO_TOKEN", "authorization: got none, expected \"Bearer TOKEN\": this server wants a token");
  }
  if (authorization.size() > 1) return BadToken(absl::StrCat("it ", authorization.size(), " times"));
  absl::string_view token = authorization[0];
  if (!absl::StartsWithIgnoreCase(token, kScheme)) return BadToken("another scheme");
  token.remove_prefix(kScheme.size());
  if (token.empty()) return BadToken("an empty token");
  if (token.size() > kLongestToken) return BadToken(absl::StrCat("a token of ", token.size(), " characters"));
  if (!IsBearerToken(token)) return BadToken("a token with other characters");
  return token;
}

}  // namespace hydrophone
