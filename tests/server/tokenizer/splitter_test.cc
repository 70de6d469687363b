// Each alternative of GPT-2's expression, and where they meet.
#include "server/tokenizer/splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Split(absl::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t size = FirstWordSize(text);
    words.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return words;
}

TEST(Splitter, WordsTakeTheSpaceBeforeThem) {
  EXPECT_THAT(Split("two words"), ElementsAre("two", " words"));
  EXPECT_THAT(Split(" first"), ElementsAre(" first"));
}

TEST(Splitter, NumbersAndLettersPart) { EXPECT_THAT(Split("a1b2 34c"), ElementsAre("a", "1", "b", "2", " 34", "c")); }

TEST(Splitter, OtherCharactersRunTogether) {
  EXPECT_THAT(Split("what?! (yes)..."), ElementsAre("what", "?!", " (", "yes", ")..."));
}

TEST(Splitter, ContractionsAreWords) {
  EXPECT_THAT(Split("it's don't you're I've I'm we'll he'd"),
              ElementsAre("it", "'s", " don", "'t", " you", "'re", " I", "'ve", " I", "'m", " we", "'ll", " he", "'d"));
}

TEST(Splitter, ContractionsAreCutFromLongerWords) {
  EXPECT_THAT(Split("'start"), ElementsAre("'s", "tart"));
  EXPECT_THAT(Split("'llama"), ElementsAre("'ll", "ama"));
}

TEST(Splitter, ContractionsAreLowerCaseAndNeedNoSpace) {
  EXPECT_THAT(Split("IT'S"), ElementsAre("IT", "'", "S"));
  EXPECT_THAT(Split("a 's"), ElementsAre("a", " '", "s"));
  EXPECT_THAT(Split("r'e"), ElementsAre("r", "'", "e"));
}

TEST(Splitter, AnApostropheAfterOtherCharactersBeginsNoContraction) {
  EXPECT_THAT(Split("!'s"), ElementsAre("!'", "s"));
  EXPECT_THAT(Split("''s"), ElementsAre("''", "s"));
}

TEST(Splitter, ARunOfSpacesLeavesItsLastToTheNextWord) {
  EXPECT_THAT(Split("a   b"), ElementsAre("a", "  ", " b"));
  EXPECT_THAT(Split("a  1"), ElementsAre("a", " ", " 1"));
  EXPECT_THAT(Split("a  ?"), ElementsAre("a", " ", " ?"));
}

TEST(Splitter, OnlyASpaceIsTakenIntoAWord) {
  EXPECT_THAT(Split("a\n\nb"), ElementsAre("a", "\n", "\n", "b"));
  EXPECT_THAT(Split("a \tb"), ElementsAre("a", " ", "\t", "b"));
  EXPECT_THAT(Split("a\t b"), ElementsAre("a", "\t", " b"));
  EXPECT_THAT(Split("a\u00A0b"), ElementsAre("a", "\u00A0", "b"));
}

TEST(Splitter, SpacesAtTheEndAreOneWord) {
  EXPECT_THAT(Split("a \n "), ElementsAre("a", " \n "));
  EXPECT_THAT(Split(" "), ElementsAre(" "));
  EXPECT_THAT(Split("  "), ElementsAre("  "));
}

TEST(Splitter, WideSpacesAreLeftWhole) {
  EXPECT_THAT(Split("a\u3000\u2003b"), ElementsAre("a", "\u3000", "\u2003", "b"));
  EXPECT_THAT(Split("\u3000\u3000"), ElementsAre("\u3000\u3000"));
}

TEST(Splitter, LettersOfAnyScriptRunTogether) {
  EXPECT_THAT(Split("naïve Привет日本"), ElementsAre("naïve", " Привет日本"));
}

TEST(Splitter, MarksAndEmojiAreNoLetters) {
  EXPECT_THAT(Split("e\u0301a"), ElementsAre("e", "\u0301", "a"));
  EXPECT_THAT(Split("hi😀😀there"), ElementsAre("hi", "😀😀", "there"));
}

TEST(Splitter, InvalidBytesAreOtherCharacters) {
  EXPECT_THAT(Split("a\xFF\xC3 \xE6\x97z"), ElementsAre("a", "\xFF\xC3", " \xE6\x97", "z"));
  EXPECT_THAT(Split("a  \x80"), ElementsAre("a", " ", " \x80"));
  EXPECT_THAT(Split("!\xF0\x9F\x98"), ElementsAre("!\xF0\x9F\x98"));
}

TEST(Splitter, AZeroByteIsACharacterLikeAnother) {
  EXPECT_THAT(Split(absl::string_view("a\0b", 3)), ElementsAre("a", std::string(1, '\0'), "b"));
}

}  // namespace
}  // namespace hydrophone
