#include "server/tokenizer/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/server/tokenizer/small_vocabulary.h"

namespace hydrophone {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Vocabulary, KnowsPiecesBothWays) {
  const Vocabulary vocabulary = SmallVocabulary({"Ġa", "abc"});
  EXPECT_EQ(vocabulary.size(), 259);
  EXPECT_EQ(vocabulary.piece(257), "Ġa");
  EXPECT_EQ(vocabulary.bytes(257), " a");
  EXPECT_EQ(vocabulary.Find("abc"), 258);
  EXPECT_EQ(vocabulary.Find("abd"), std::nullopt);
  EXPECT_EQ(vocabulary.byte_ids()[' '], 32);
}

TEST(Vocabulary, OutlivesBeingMoved) {
  Vocabulary first = SmallVocabulary({"a rather long piece that is not stored in the string itself"});
  const Vocabulary second = std::move(first);
  EXPECT_EQ(second.Find("a"), 'a');
  EXPECT_EQ(second.Find(second.piece(257)), 257);
}

TEST(Vocabulary, TakesIdsInAnyOrder) {
  std::string json = SmallVocabJson({"ab", "cd"});
  json = absl::StrReplaceAll(json, {{"\"ab\": 257", "\"ab\": 258"}, {"\"cd\": 258", "\"cd\": 257"}});
  const absl::StatusOr<Vocabulary> vocabulary = Vocabulary::Parse(json);
  ASSERT_TRUE(vocabulary.ok()) << vocabulary.status();
  EXPECT_EQ(vocabulary->piece(257), "cd");
}

// The message of the error that `json` must give.
std::string ErrorOf(absl::string_view json) {
  const absl::Status status = Vocabulary::Parse(json).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(Vocabulary, RefusesWhatIsNotJson) {
  for (const char* json :
       {"", "{", "{\"a\"", "{\"a\": }", "{\"a\": 0} x", "{\"\xFF\": 0}", "\x01", "{\"a\": 1e999}", "{\"a\": 0,}"}) {
    EXPECT_THAT(ErrorOf(json), HasSubstr("bad JSON at byte")) << json;
  }
}

TEST(Vocabulary, RefusesOtherJson) {
  EXPECT_THAT(ErrorOf("[0, 1]"), HasSubstr("is an array, expected an object"));
  EXPECT_THAT(ErrorOf("7"), HasSubstr("is a number, expected an object"));
  EXPECT_THAT(ErrorOf("{\"a\": 0, \"b\": \"1\"}"), HasSubstr("member 2 is a string"));
  EXPECT_THAT(ErrorOf("{\"a\": -1}"), HasSubstr("a negative number"));
  EXPECT_THAT(ErrorOf("{\"a\": 0.5}"), HasSubstr("a fraction"));
  EXPECT_THAT(ErrorOf("{\"a\": null}"), HasSubstr("null"));
  EXPECT_THAT(ErrorOf("{\"a\": true}"), HasSubstr("a boolean"));
  EXPECT_THAT(ErrorOf("{\"a\": {}}"), HasSubstr("a nested object"));
}

TEST(Vocabulary, RefusesDeepNestingWithoutFollowingIt) {
  EXPECT_THAT(ErrorOf("{\"a\": " + std::string(1 << 20, '[')), HasSubstr("an array"));
}

TEST(Vocabulary, RefusesGaps) {
  const std::string json = absl::StrReplaceAll(SmallVocabJson({"ab"}), {{": 257", ": 258"}});
  EXPECT_THAT(ErrorOf(json), AllOf(HasSubstr("\"ab\" has id 258"), HasSubstr("0 to 257")));
}

TEST(Vocabulary, RefusesHugeIdsWithoutMemoryForThem) {
  const std::string json = absl::StrReplaceAll(SmallVocabJson({"ab"}), {{": 257", ": 18446744073709551615"}});
  EXPECT_THAT(ErrorOf(json), HasSubstr("18446744073709551615"));
}

TEST(Vocabulary, RefusesAnIdGivenTwice) {
  const std::string json = absl::StrReplaceAll(SmallVocabJson({"ab"}), {{": 257", ": 65"}});
  EXPECT_THAT(ErrorOf(json), HasSubstr("id 65 is given to both \"A\" and \"ab\""));
}

TEST(Vocabulary, RefusesAPieceThatComesTwice) {
  EXPECT_THAT(ErrorOf(SmallVocabJson({"ab", "ab"})), HasSubstr("piece \"ab\" comes twice"));
}

TEST(Vocabulary, RefusesAMissingByte) {
  const std::string json = absl::StrReplaceAll(SmallVocabJson({}), {{"\"A\"", "\"AA\""}});
  EXPECT_THAT(ErrorOf(json), HasSubstr("byte 65 has no piece"));
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("byte 0 has no piece"));
}

TEST(Vocabulary, NeedsNoSpecialToken) {
  const std::string json = absl::StrReplaceAll(SmallVocabJson({}), {{kEndOfText, "<end>"}});
  EXPECT_TRUE(Vocabulary::Parse(json).ok());
}

TEST(ShowPiece, CutsAndEscapes) {
  EXPECT_EQ(ShowPiece("ab\n"), "\"ab\\n\"");
  EXPECT_EQ(ShowPiece(std::string(1000, 'x')), absl::StrCat("\"", std::string(40, 'x'), "...\""));
}

}  // namespace
}  // namespace hydrophone
