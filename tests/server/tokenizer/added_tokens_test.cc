#include "server/tokenizer/added_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/server/tokenizer/small_vocabulary.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

TextPart Text(size_t begin, size_t end) { return {begin, end, std::nullopt}; }

AddedToken Special(std::string content) { return {std::move(content), false, false, false, true}; }

AddedTokens Made(std::vector<AddedToken> tokens) { return {std::move(tokens), SmallVocabulary({"ab"})}; }

TEST(AddedTokens, ATokenOfTheVocabularyKeepsItsId) {
  const AddedTokens tokens = Made({Special("[P]"), Special("ab"), Special(""), Special("[Q]"), Special("[P]")});
  EXPECT_THAT(tokens.beyond(), ElementsAre("[P]", "[Q]"));
  EXPECT_EQ(tokens.Find("[P]"), 258);
  EXPECT_EQ(tokens.Find("ab"), 257);
  EXPECT_EQ(tokens.Find("[Q]"), 259);
  EXPECT_EQ(tokens.Find(""), std::nullopt);
}

TEST(AddedTokens, TheFirstAndOfThoseTheLongestIsTaken) {
  const AddedTokens tokens = Made({Special("<x"), Special("<x>"), Special("x>y")});
  EXPECT_THAT(tokens.Split("a<x>y", SpecialTokens::kAsTokens),
              ElementsAre(Text(0, 1), TextPart{1, 4, 259}, Text(4, 5)));
  EXPECT_THAT(tokens.Split("<x", SpecialTokens::kAsTokens), ElementsAre(TextPart{0, 2, 258}));
  EXPECT_THAT(tokens.Split("", SpecialTokens::kAsTokens), ElementsAre());
}

TEST(AddedTokens, StrippingTakesWhiteSpaceOnceOnly) {
  const AddedTokens tokens = Made({{"[P]", true, true, false, true}});
  EXPECT_THAT(tokens.Split("a\u0085\u3000[P]\n[P]\t b", SpecialTokens::kAsTokens),
              ElementsAre(Text(0, 1), TextPart{1, 10, 258}, TextPart{10, 15, 258}, Text(15, 16)));
}

TEST(AddedTokens, OfTwoWithOneContentTheLastCounts) {
  const AddedTokens tokens = Made({Special("[P]"), {"[P]", true, false, false, false}});
  EXPECT_THAT(tokens.Split(" [P]", SpecialTokens::kAsTokens), ElementsAre(TextPart{0, 4, 258}));
  EXPECT_THAT(tokens.Split(" [P]", SpecialTokens::kAsLiteral), ElementsAre(Text(0, 4)));
}

TEST(AddedTokens, NormalizedOnesAreFoundInWhatTheOthersLeave) {
  const AddedTokens tokens = Made({{"a<x>", false, false, true, false}, Special("<x>")});
  EXPECT_THAT(tokens.Split("a<x>", SpecialTokens::kAsTokens), ElementsAre(Text(0, 1), TextPart{1, 4, 259}));
}

TEST(AddedTokens, LiteralSpecialsAreTextAndOthersAreNot) {
  const AddedTokens tokens = Made({Special("<x>"), {"[P]", false, false, false, false}});
  EXPECT_THAT(tokens.Split("<x>[P]", SpecialTokens::kAsLiteral), ElementsAre(Text(0, 3), TextPart{3, 6, 259}));
}

}  // namespace
}  // namespace hydrophone
