#include "server/base/bearer_token.h"

#include <gtest/gtest.h>

namespace hydrophone {
namespace {

TEST(BearerTokenTest, HasTheCharactersOfRfc6750) {
  for (const char* token : {"a", "Az09-._~+/", "c2VjcmV0=="}) EXPECT_TRUE(IsBearerToken(token)) << token;
  for (const char* text : {"", "two words", "quoted\"", "line\n", "\xc3\xa4"})
    EXPECT_FALSE(IsBearerToken(text)) << text;
}

}  // namespace
}  // namespace hydrophone
