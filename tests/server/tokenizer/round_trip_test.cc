// What holds for any bytes whatever: the tokens cover the input side by side, each stands for
// exactly its bytes, and decoding gives the input back.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "tests/server/tokenizer/small_vocabulary.h"

namespace hydrophone {
namespace {

void ExpectRoundTrip(absl::string_view input, SpecialTokens specials) {
  const Tokenizer& gpt2 = Gpt2();
  std::vector<uint32_t> ids;
  uint32_t covered = 0;
  for (const EncodedToken& token : gpt2.Encode(input, specials)) {
    ASSERT_EQ(token.begin, covered) << absl::CHexEscape(input);
    ASSERT_EQ(*gpt2.Decode({token.id}), input.substr(token.begin, token.end - token.begin));
    covered = token.end;
    ids.push_back(token.id);
  }
  ASSERT_EQ(covered, input.size());
  ASSERT_EQ(*gpt2.Decode(ids), input);
}

void ExpectRoundTrips(absl::string_view input) {
  ExpectRoundTrip(input, SpecialTokens::kAsTokens);
  ExpectRoundTrip(input, SpecialTokens::kAsLiteral);
}

TEST(RoundTrip, EverySingleByteAndPairOfBytes) {
  for (int first = 0; first < 256; ++first) {
    const std::string one(1, static_cast<char>(first));
    ExpectRoundTrips(one);
    for (int second = 0; second < 256; ++second) {
      ExpectRoundTrip(one + static_cast<char>(second), SpecialTokens::kAsTokens);
    }
  }
}

TEST(RoundTrip, RandomBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string input(random() % 200, '\0');
    for (char& byte : input) byte = static_cast<char>(random());
    ExpectRoundTrips(input);
  }
}

TEST(RoundTrip, RandomMixturesOfTextAndDamage) {
  const std::vector<std::string> parts = {"the",
                                          " cat",
                                          "'s",
                                          "'",
                                          " ",
                                          "\n",
                                          "\t",
                                          "  ",
                                          "12",
                                          "½",
                                          "é",
                                          "日本",
                                          "😀",
                                          "\xF0",
                                          "\x9F",
                                          "\x80",
                                          "\xE3",
                                          "\u3000",
                                          "\u00A0",
                                          "\u0301",
                                          "\xFF",
                                          "...",
                                          "<|endoftext|>",
                                          "<|",
                                          "endoftext|>",
                                          "|>",
                                          std::string(1, '\0')};
  std::mt19937 random(8);
  for (int round = 0; round < 2000; ++round) {
    std::string input;
    for (size_t i = random() % 30; i > 0; --i) input += parts[random() % parts.size()];
    ExpectRoundTrips(input);
  }
}

TEST(RoundTrip, EveryPrefixAndSuffixOfACharacter) {
  const std::string text = "a\u00E9\u65E5\U0001F600\u3000b";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    ExpectRoundTrips(absl::string_view(text).substr(cut));
    ExpectRoundTrips(absl::string_view(text).substr(0, cut));
  }
}

// A merge that looked at the whole word each time would need many minutes for these.
TEST(RoundTrip, LongWords) {
  constexpr size_t kSize = 1 << 16;
  for (const std::string unit : {"a", " ", "!", "1", "\xFF", "ab", "日", "\n", "\u3000"}) {
    std::string input;
    while (input.size() < kSize) input += unit;
    ExpectRoundTrip(input, SpecialTokens::kAsTokens);
    ExpectRoundTrip(input + "x", SpecialTokens::kAsTokens);
  }
}

TEST(RoundTrip, AMegabyteOfOneLetter) {
  const std::string input(1 << 20, 'a');
  const std::vector<EncodedToken> tokens = Gpt2().Encode(input, SpecialTokens::kAsTokens);
  ASSERT_EQ(tokens.size(), input.size() / 4);
  EXPECT_EQ(Gpt2().Piece(tokens.back().id), "aaaa");
}

TEST(RoundTrip, ManySpecialTokens) {
  std::string input;
  for (int i = 0; i < 5000; ++i) input += "<|endoftext|";
  for (int i = 0; i < 5000; ++i) input += "<|endoftext|>";
  ExpectRoundTrips(input);
}

}  // namespace
}  // namespace hydrophone
