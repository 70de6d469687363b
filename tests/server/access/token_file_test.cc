#include "server/access/token_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/sha256.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Line(const std::string& token, const std::string& rest) {
  return absl::StrCat("sha256=", Sha256Hex(token), " ", rest, "\n");
}

std::string Refusal(const std::string& text) { return std::string(ParseTokenFile(text).status().message()); }

TEST(TokenFileTest, ALineSaysWhoAndHowMuch) {
  const auto tokens = ParseTokenFile(absl::StrCat(
      "# comment\n\n  ",
      Line("a", "name=alice@lab weight=3 role=operate requests=2 tokens_per_second=500 bytes_in_flight=4096"),
      Line("b", "\tname=bob \r")));
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  ASSERT_EQ(tokens->size(), 2u);
  EXPECT_EQ((*tokens)[0].sha256, Sha256Hex("a"));
  EXPECT_EQ((*tokens)[0].holder, (TokenHolder{"alice@lab", 3, Role::kOperate, {2, 500, 4096}}));
  EXPECT_EQ((*tokens)[1].holder, (TokenHolder{"bob", 1, Role::kUse, {}}));
}

TEST(TokenFileTest, ADigestMayBeInCapitals) {
  const auto tokens = ParseTokenFile("sha256=" + std::string(64, 'A') + " name=a");
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_EQ((*tokens)[0].sha256, std::string(64, 'a'));
}

TEST(TokenFileTest, WhatIsWrongIsToldByLineWithWhatWasGotAndExpected) {
  const std::string good = Line("a", "name=alice");
  const struct {
    std::string line;
    std::string message;
  } cases[] = {
      {"sha256=abc name=x", "line 2: sha256: got 3 characters, expected 64 hexadecimal digits"},
      {Line("b", ""), "line 2: name: got none, expected one"},
      {"name=x", "line 2: sha256: got none, expected one"},
      {Line("b", "name=x name=y"), "line 2: name: got it twice, expected it once"},
      {Line("b", "name=a\x01"), "line 2: name: got \"a\\x01\", expected 1 to 64 letters"},
      {Line("b", "name="), "line 2: name: got \"\""},
      {Line("b", "name=x weight=0"), "line 2: weight: got \"0\", expected a whole number from 1 to 1000"},
      {Line("b", "name=x weight=1001"), "line 2: weight: got \"1001\""},
      {Line("b", "name=x requests=-1"), "line 2: requests: got \"-1\""},
      {Line("b", "name=x requests="), "line 2: requests: got \"\""},
      {Line("b", "name=x tokens_per_second=1e3"), "line 2: tokens_per_second: got \"1e3\""},
      {Line("b", "name=x bytes_in_flight=99999999999999999999"), "line 2: bytes_in_flight: got"},
      {Line("b", "name=x role=admin"), "line 2: role: got \"admin\", expected use or operate"},
      {Line("a", "name=x"), "line 2: sha256: got that of line 1, expected another"},
      {Line("b", "name=alice weight=2"), "line 2: name: got \"alice\" as line 1 has it, expected the same weight"},
  };
  for (const auto& each : cases) EXPECT_THAT(Refusal(good + each.line), HasSubstr(each.message)) << each.line;
}

TEST(TokenFileTest, ATextWithoutTokensIsRefused) {
  for (const char* text : {"", "\n", "# only a comment\n"}) EXPECT_THAT(Refusal(text), HasSubstr("got no token"));
}

TEST(TokenFileTest, ATokenInTheWrongPlaceIsNotRepeated) {
  EXPECT_THAT(Refusal("sha256=my-secret name=a"), Not(HasSubstr("my-secret")));
  EXPECT_THAT(Refusal("my-secret name=a"), Not(HasSubstr("my-secret")));
  EXPECT_THAT(Refusal("my-secret=1 name=a"), Not(HasSubstr("my-secret")));
}

TEST(TokenFileTest, TwoTokensOfOneNameMaySayTheSame) {
  EXPECT_TRUE(ParseTokenFile(Line("old", "name=alice requests=2") + Line("new", "requests=2 name=alice")).ok());
}

}  // namespace
}  // namespace hydrophone
