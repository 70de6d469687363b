#include "server/tokenizer/merges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/tokenizer/small_vocabulary.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;

TEST(MergeTable, RanksMergesInTheirOrder) {
  const Vocabulary vocabulary = SmallVocabulary({"ab", "abc"});
  const absl::StatusOr<MergeTable> table = MergeTable::Parse("#version: 0.2\na b\nab c\n", vocabulary);
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_NE(table->Find('a', 'b'), nullptr);
  EXPECT_EQ(table->Find('a', 'b')->rank, 0);
  EXPECT_EQ(table->Find('a', 'b')->id, 257);
  ASSERT_NE(table->Find(257, 'c'), nullptr);
  EXPECT_EQ(table->Find(257, 'c')->rank, 1);
  EXPECT_EQ(table->Find(257, 'c')->id, 258);
  EXPECT_EQ(table->Find('b', 'a'), nullptr);
}

TEST(MergeTable, SkipsCarriageReturnsAndEmptyLines) {
  const Vocabulary vocabulary = SmallVocabulary({"ab"});
  const absl::StatusOr<MergeTable> table = MergeTable::Parse("#version: 0.2\r\na b\r\n\r\n", vocabulary);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_NE(table->Find('a', 'b'), nullptr);
}

TEST(MergeTable, MergesOfNumberSignsAreNoComments) {
  const Vocabulary vocabulary = SmallVocabulary({"##"});
  const absl::StatusOr<MergeTable> table = MergeTable::Parse("# #\n", vocabulary);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_NE(table->Find('#', '#'), nullptr);
}

TEST(MergeTable, MayBeEmpty) {
  const absl::StatusOr<MergeTable> table = MergeTable::Parse("", SmallVocabulary({}));
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->Find('a', 'b'), nullptr);
}

// The message of the error that `text` must give over a vocabulary with "ab".
std::string ErrorOf(absl::string_view text) {
  const absl::Status status = MergeTable::Parse(text, SmallVocabulary({"ab"})).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(MergeTable, RefusesLinesThatAreNoPair) {
  for (const char* text : {"#version\nab", "\na", "\na  b", "\na b ", "\n a b", "\na b c"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("line 2: expected two pieces")) << text;
  }
}

TEST(MergeTable, RefusesUnknownPieces) {
  EXPECT_THAT(ErrorOf("xy b"), HasSubstr("line 1: piece \"xy\" is not in the vocabulary"));
  EXPECT_THAT(ErrorOf("a xy"), HasSubstr("piece \"xy\""));
  EXPECT_THAT(ErrorOf("a b\na c"), HasSubstr("line 2: piece \"ac\""));
}

TEST(MergeTable, RefusesAMergeThatComesTwice) {
  EXPECT_THAT(ErrorOf("a b\na b"), HasSubstr("line 2: the merge \"a b\" comes twice"));
}

}  // namespace
}  // namespace hydrophone
