#include "gtest/gtest.h"
#include "server/base/utf8.h"

namespace hydrophone {
namespace {

TEST(Utf8, ValidTextsAreValid) {
  for (const char* text : {"", "plain", "\u00e9", "\u20ac", "\U0001F600", "\U0010FFFF", "\uD7FF", "\uE000"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
}

TEST(Utf8, OverlongSurrogateTooHighAndCutFormsAreNot) {
  for (const char* text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xE2\x82", "\xE2\x82g", "\xC3("}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

TEST(Utf8, CharactersAreCountedNotBytes) { EXPECT_EQ(CountCharacters("\u0120a\u20ac"), 3u); }

}  // namespace
}  // namespace hydrophone
