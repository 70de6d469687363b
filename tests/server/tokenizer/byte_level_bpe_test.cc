// The default model's tokenizer, whose expected ids are GPT-2's well-known ones.
#include "server/tokenizer/byte_level_bpe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/tokenizer/small_vocabulary.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<uint32_t> Ids(absl::string_view text, SpecialTokens specials = SpecialTokens::kAsTokens) {
  std::vector<uint32_t> ids;
  for (const EncodedToken& token : Gpt2().Encode(text, specials)) ids.push_back(token.id);
  return ids;
}

std::vector<std::string> Pieces(absl::string_view text, SpecialTokens specials = SpecialTokens::kAsTokens) {
  return PiecesOf(Gpt2(), Gpt2().Encode(text, specials));
}

TEST(ByteLevelBpe, EncodesAsGpt2Does) {
  EXPECT_THAT(Ids("Hello, world!"), ElementsAre(15496, 11, 995, 0));
  EXPECT_THAT(Ids("hello"), ElementsAre(31373));
  EXPECT_THAT(Pieces("Plants make fantastic pets"), ElementsAre("Pl", "ants", "Ġmake", "Ġfantastic", "Ġpets"));
  EXPECT_THAT(Pieces("don't"), ElementsAre("don", "'t"));
  EXPECT_THAT(Pieces("a  b\n"), ElementsAre("a", "Ġ", "Ġb", "Ċ"));
}

TEST(ByteLevelBpe, NothingEncodesToNothing) {
  EXPECT_THAT(Ids(""), ElementsAre());
  EXPECT_THAT(Ids("", SpecialTokens::kAsLiteral), ElementsAre());
}

TEST(ByteLevelBpe, OffsetsAreBytesAndMayCutACharacter) {
  EXPECT_THAT(Gpt2().Encode("é ok", SpecialTokens::kAsTokens),
              ElementsAre(EncodedToken{2634, 0, 2}, EncodedToken{12876, 2, 5}));
  EXPECT_THAT(Gpt2().Encode("😀", SpecialTokens::kAsTokens),
              ElementsAre(EncodedToken{47249, 0, 3}, EncodedToken{222, 3, 4}));
}

TEST(ByteLevelBpe, EndOfTextIsOneToken) {
  EXPECT_EQ(Gpt2().bos_id(), 50256);
  EXPECT_THAT(Ids("<|endoftext|>"), ElementsAre(50256));
  EXPECT_THAT(Ids("x<|endoftext|><|endoftext|>s"), ElementsAre(87, 50256, 50256, 82));
}

TEST(ByteLevelBpe, EndOfTextPartsTheTextOnItsSides) {
  // The space before it is the end of a text of its own; nothing around it is swallowed.
  EXPECT_THAT(Gpt2().Encode("a <|endoftext|> b", SpecialTokens::kAsTokens),
              ElementsAre(EncodedToken{64, 0, 1}, EncodedToken{220, 1, 2}, EncodedToken{50256, 2, 15},
                          EncodedToken{275, 15, 17}));
  EXPECT_THAT(Pieces("a\n\n<|endoftext|>\n\nb"), ElementsAre("a", "ĊĊ", "<|endoftext|>", "Ċ", "Ċ", "b"));
}

TEST(ByteLevelBpe, AnIncompleteEndOfTextIsText) {
  EXPECT_THAT(Ids("<|endoftext|"), ElementsAre(27, 91, 437, 1659, 5239, 91));
  EXPECT_THAT(Ids("<|<|endoftext|>"), ElementsAre(27, 91, 50256));
  EXPECT_THAT(Ids("<|EndOfText|>"), ::testing::Not(::testing::Contains(50256)));
}

TEST(ByteLevelBpe, LiteralSpecialsAreText) {
  EXPECT_THAT(Ids("a <|endoftext|> b", SpecialTokens::kAsLiteral),
              ElementsAre(64, 1279, 91, 437, 1659, 5239, 91, 29, 275));
}

TEST(ByteLevelBpe, DecodesBytesThatAreNoUtf8) {
  EXPECT_EQ(*Gpt2().Decode({47249}), "\xF0\x9F\x98");
  EXPECT_EQ(*Gpt2().Decode({15496, 50256, 995}), "Hello<|endoftext|> world");
  EXPECT_EQ(*Gpt2().Decode({}), "");
}

TEST(ByteLevelBpe, DecodeNamesTheFirstUnknownId) {
  const absl::Status status = Gpt2().Decode({0, 50257, 99999}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("token id 50257 at index 1"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("50256"));
}

// A small tokenizer with the settings.
ByteLevelBpe Small(TokenSettings settings) {
  Vocabulary vocabulary = SmallVocabulary({"Ġa", "日"});
  MergeTable merges = *MergeTable::Parse("Ġ a\n", vocabulary);
  return {std::move(vocabulary), std::move(merges), std::move(settings), "digest"};
}

TEST(ByteLevelBpe, APrefixSpaceHasNoBytesOfTheInput) {
  TokenSettings settings;
  settings.add_prefix_space = true;
  settings.added = {{"[P]", false, false, false, true}};
  const ByteLevelBpe tokenizer = Small(settings);
  EXPECT_TRUE(tokenizer.adds_prefix_space());
  EXPECT_THAT(tokenizer.Encode("a[P]a", SpecialTokens::kAsTokens),
              ElementsAre(EncodedToken{257, 0, 1}, EncodedToken{259, 1, 4}, EncodedToken{257, 4, 5}));
  EXPECT_THAT(tokenizer.Encode(" a", SpecialTokens::kAsTokens), ElementsAre(EncodedToken{257, 0, 2}));
  EXPECT_THAT(tokenizer.Encode("\n", SpecialTokens::kAsTokens),
              ElementsAre(EncodedToken{' ', 0, 0}, EncodedToken{'\n', 0, 1}));
  EXPECT_THAT(tokenizer.Encode("", SpecialTokens::kAsTokens), ElementsAre());
}

TEST(ByteLevelBpe, AnAddedTokenStandsForItsSpelling) {
  TokenSettings settings;
  settings.added = {{"né", false, false, false, false}};
  const ByteLevelBpe tokenizer = Small(settings);
  EXPECT_EQ(tokenizer.vocab_size(), 260);
  EXPECT_EQ(tokenizer.base_vocab_size(), 259);
  EXPECT_EQ(*tokenizer.Decode({259, 258}), "né日");
  EXPECT_EQ(BytesOf(tokenizer, 259), 3);
  EXPECT_EQ(BytesOf(tokenizer, 258), 3);  // one character outside the alphabet
  EXPECT_EQ(tokenizer.Piece(259), "né");
}

TEST(ByteLevelBpe, RolesPutIdsAroundAText) {
  TokenSettings settings;
  settings.bos = settings.eos = "<s>";
  settings.add_bos = settings.add_eos = true;
  settings.added = {{"<s>", false, false, false, true}};
  const ByteLevelBpe tokenizer = Small(settings);
  EXPECT_EQ(tokenizer.bos_id(), 259);
  EXPECT_THAT(tokenizer.ids_before_text(), ElementsAre(259));
  EXPECT_THAT(tokenizer.ids_after_text(), ElementsAre(259));
  settings.frame = TextFrame{{1, 2}, {}};  // tokenizer.json's counts instead
  EXPECT_THAT(Small(settings).ids_before_text(), ElementsAre(1, 2));
  settings = {};
  settings.add_bos = true;
  EXPECT_EQ(Small(settings).bos_id(), std::nullopt);
  EXPECT_THAT(Small(settings).ids_before_text(), ElementsAre());
}

TEST(ByteLevelBpe, PiecesArePrintable) {
  EXPECT_EQ(Gpt2().Piece(995), "Ġworld");
  EXPECT_EQ(Gpt2().Piece(198), "Ċ");
  EXPECT_EQ(Gpt2().Piece(50256), "<|endoftext|>");
  EXPECT_EQ(Gpt2().vocab_size(), 50257);
}

}  // namespace
}  // namespace hydrophone
