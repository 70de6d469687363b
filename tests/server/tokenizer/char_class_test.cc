// The classes as a whole are checked against Hugging Face's splitter by make_unicode_tables.py
// --check; these are the ones that a mistake in the lookup would hit, and those on which libraries
// differ.
#include "server/tokenizer/char_class.h"

#include <gtest/gtest.h>

#include "absl/types/span.h"
#include "server/tokenizer/unicode_tables.h"

namespace hydrophone {
namespace {

TEST(CharClass, KnowsAscii) {
  EXPECT_EQ(ClassOf(U'A'), CharClass::kLetter);
  EXPECT_EQ(ClassOf(U'z'), CharClass::kLetter);
  EXPECT_EQ(ClassOf(U'0'), CharClass::kNumber);
  EXPECT_EQ(ClassOf(U'9'), CharClass::kNumber);
  EXPECT_EQ(ClassOf(U' '), CharClass::kSpace);
  EXPECT_EQ(ClassOf(U'\v'), CharClass::kSpace);
  EXPECT_EQ(ClassOf(U'@'), CharClass::kOther);
  EXPECT_EQ(ClassOf(U'\0'), CharClass::kOther);
  EXPECT_EQ(ClassOf(0x1C), CharClass::kOther);  // a separator, white space to Python alone
}

TEST(CharClass, KnowsWhiteSpaceBeyondAscii) {
  constexpr char32_t kSome[] = {0x85, 0xA0, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x3000};
  for (const char32_t space : kSome) {
    EXPECT_EQ(ClassOf(space), CharClass::kSpace) << std::hex << static_cast<uint32_t>(space);
  }
  EXPECT_EQ(ClassOf(0x200B), CharClass::kOther);  // zero width
  EXPECT_EQ(ClassOf(0xFEFF), CharClass::kOther);  // byte order mark
}

TEST(CharClass, KnowsLettersAndNumbersOfEveryPlane) {
  EXPECT_EQ(ClassOf(U'é'), CharClass::kLetter);
  EXPECT_EQ(ClassOf(U'日'), CharClass::kLetter);
  EXPECT_EQ(ClassOf(U'𝒜'), CharClass::kLetter);
  EXPECT_EQ(ClassOf(0x20000), CharClass::kLetter);
  EXPECT_EQ(ClassOf(0x323AF), CharClass::kLetter);  // Unicode 15
  EXPECT_EQ(ClassOf(0x1C89), CharClass::kLetter);   // Unicode 16
  EXPECT_EQ(ClassOf(U'½'), CharClass::kNumber);
  EXPECT_EQ(ClassOf(U'Ⅷ'), CharClass::kNumber);
  EXPECT_EQ(ClassOf(U'𝟘'), CharClass::kNumber);
}

TEST(CharClass, CombiningMarksAndEmojiAreOther) {
  EXPECT_EQ(ClassOf(0x301), CharClass::kOther);
  EXPECT_EQ(ClassOf(U'😀'), CharClass::kOther);
  EXPECT_EQ(ClassOf(0xE0041), CharClass::kOther);
}

TEST(CharClass, WhatIsNoCodePointIsOther) {
  EXPECT_EQ(ClassOf(0xD800), CharClass::kOther);
  EXPECT_EQ(ClassOf(0x10FFFF), CharClass::kOther);
  EXPECT_EQ(ClassOf(0x110000), CharClass::kOther);
  EXPECT_EQ(ClassOf(0xFFFFFFFF), CharClass::kOther);
}

// The lookup is a binary search, so each table must be sorted.
void ExpectAscending(absl::Span<const CharRange> ranges) {
  for (const CharRange& range : ranges) EXPECT_LE(range.first, range.last);
  for (size_t i = 1; i < ranges.size(); ++i) EXPECT_LT(ranges[i - 1].last, ranges[i].first);
}

TEST(CharClass, TablesAreSortedAndDisjoint) {
  ExpectAscending(kLetters);
  ExpectAscending(kNumbers);
  ExpectAscending(kSpaces);
  for (const CharRange& range : kNumbers) {
    EXPECT_EQ(ClassOf(range.first), CharClass::kNumber);
    EXPECT_EQ(ClassOf(range.last), CharClass::kNumber);
  }
  for (const CharRange& range : kSpaces) {
    EXPECT_EQ(ClassOf(range.first), CharClass::kSpace);
    EXPECT_EQ(ClassOf(range.last), CharClass::kSpace);
  }
}

}  // namespace
}  // namespace hydrophone
