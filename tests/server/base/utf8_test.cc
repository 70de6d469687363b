#include "server/base/utf8.h"

#include <gtest/gtest.h>

namespace hydrophone {
namespace {

TEST(ReadUtf8, ReadsEverySize) {
  struct Case {
    absl::string_view text;
    char32_t value;
  };
  for (const Case& c : {Case{"A", U'A'},
                        {"é", U'é'},
                        {"日", U'日'},
                        {"😀", U'😀'},
                        {absl::string_view("\0", 1), 0},
                        {"\xF4\x8F\xBF\xBF", 0x10FFFF}}) {
    const CodePoint read = ReadUtf8(c.text);
    EXPECT_TRUE(read.valid);
    EXPECT_EQ(read.value, c.value);
    EXPECT_EQ(read.size, c.text.size());
  }
}

void ExpectInvalid(absl::string_view text) {
  const CodePoint read = ReadUtf8(text);
  EXPECT_FALSE(read.valid);
  EXPECT_EQ(read.value, kReplacementCharacter);
  EXPECT_EQ(read.size, 1);
}

TEST(ReadUtf8, RefusesBytesThatBeginNothing) {
  for (const char* text : {"\x80", "\xBF", "\xF8\x88\x80\x80\x80", "\xFE", "\xFF"}) {
    ExpectInvalid(text);
  }
}

TEST(ReadUtf8, RefusesCutSequences) {
  for (const char* text : {"\xC3", "\xE6\x97", "\xF0\x9F\x98", "\xC3 ", "\xE6\x97 ", "\xF0 \x98\x80"}) {
    ExpectInvalid(text);
  }
}

TEST(ReadUtf8, RefusesOverlongFormsSurrogatesAndTooLargeValues) {
  for (const char* text :
       {"\xC0\xAF", "\xC1\xBF", "\xE0\x80\xAF", "\xE0\x9F\xBF", "\xF0\x80\x80\xAF", "\xF0\x8F\xBF\xBF", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xF4\x90\x80\x80", "\xF7\xBF\xBF\xBF"}) {
    ExpectInvalid(text);
  }
}

TEST(ReadUtf8, AReplacementCharacterInTheTextIsValid) {
  const CodePoint read = ReadUtf8("\xEF\xBF\xBD");
  EXPECT_TRUE(read.valid);
  EXPECT_EQ(read.value, kReplacementCharacter);
  EXPECT_EQ(read.size, 3);
}

TEST(AppendUtf8, WritesWhatReadUtf8Reads) {
  constexpr char32_t kEdges[] = {0x0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF};
  for (const char32_t value : kEdges) {
    std::string text;
    AppendUtf8(value, &text);
    const CodePoint read = ReadUtf8(text);
    EXPECT_TRUE(read.valid);
    EXPECT_EQ(read.value, value);
    EXPECT_EQ(read.size, text.size());
  }
}

}  // namespace
}  // namespace hydrophone
