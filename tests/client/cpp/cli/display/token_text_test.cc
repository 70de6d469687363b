#include "client/cpp/cli/display/token_text.h"

#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

TEST(BytesOfPiece, ACharacterIsAByte) {
  EXPECT_EQ(BytesOfPiece("Ġthe"), " the");
  EXPECT_EQ(BytesOfPiece("Ċ"), "\n");
  EXPECT_EQ(BytesOfPiece("Ã©"), "\u00e9");
  EXPECT_EQ(BytesOfPiece("ðŁĺ"), "\xf0\x9f\x98") << "three bytes of an emoji";
  EXPECT_EQ(BytesOfPiece("ł"), "\xa0") << "the last but one of those that are moved";
  EXPECT_EQ(BytesOfPiece("Ń"), "\xad") << "the last";
  EXPECT_EQ(BytesOfPiece("<|endoftext|>"), "<|endoftext|>");
  EXPECT_EQ(BytesOfPiece("語"), "語") << "not of the table";
}

TEST(VisibleText, ShowsWhatHasNoShape) {
  EXPECT_EQ(VisibleText("a\n\t\r\x1b\x7f\\"), "a\\n\\t\\r\\x1b\\x7f\\\\");
  EXPECT_EQ(VisibleText("\xe2\x80"), "\\xe2\\x80") << "a part of a character";
  EXPECT_EQ(VisibleText("\u00a0\u200b\u202e\U000e0041"), "\\u00a0\\u200b\\u202e\\U000e0041");
  EXPECT_EQ(VisibleText("caf\u00e9 語"), "caf\u00e9 語");
}

TEST(TokenText, StandsInBackquotes) {
  EXPECT_EQ(TokenText("Ġthe"), "` the`");
  EXPECT_EQ(TokenText("Ċ"), "`\\n`");
  EXPECT_EQ(TokenText("a`"), "`a\\``");
  EXPECT_EQ(TokenText(""), "") << "an id without a spelling";
}

}  // namespace
}  // namespace hydrophone::client
