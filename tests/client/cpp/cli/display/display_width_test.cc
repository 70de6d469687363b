#include "client/cpp/cli/display/display_width.h"

#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

TEST(DisplayWidth, WideCharactersTakeTwoColumnsAndMarksNone) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("caf\u00e9"), 4u);
  EXPECT_EQ(DisplayWidth("cafe\u0301"), 4u);
  EXPECT_EQ(DisplayWidth("日本"), 4u);
  EXPECT_EQ(DisplayWidth("😀"), 2u);
  EXPECT_EQ(DisplayWidth(""), 0u);
}

TEST(FitToWidth, CutsBetweenCharactersAndSaysSo) {
  EXPECT_EQ(FitToWidth("abcd", 4), "abcd");
  EXPECT_EQ(FitToWidth("abcde", 4), "abc…");
  EXPECT_EQ(FitToWidth("日本語", 4), "日…") << "half of a character does not fit";
  EXPECT_EQ(FitToWidth("ab", 1), "…");
}

}  // namespace
}  // namespace hydrophone::client
