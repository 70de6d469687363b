#include "server/tokenizer/word_merger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/server/tokenizer/small_vocabulary.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

// A vocabulary of what `merges` (two pieces and a space each) join, and the merges themselves.
struct Tables {
  explicit Tables(const std::vector<std::string>& merges)
      : vocabulary(SmallVocabulary(Joined(merges))),
        table(*MergeTable::Parse(absl::StrJoin(merges, "\n"), vocabulary)) {}

  static std::vector<std::string> Joined(const std::vector<std::string>& merges) {
    std::set<std::string> joined;
    for (std::string merge : merges) joined.insert(merge.erase(merge.find(' '), 1));
    return {joined.begin(), joined.end()};
  }

  Vocabulary vocabulary;
  MergeTable table;
};

std::vector<std::string> Merged(const Tables& tables, absl::string_view word) {
  std::vector<EncodedToken> tokens;
  WordMerger(&tables.vocabulary, &tables.table).Append(word, 0, &tokens);
  std::vector<std::string> pieces;
  for (const EncodedToken& token : tokens) pieces.push_back(tables.vocabulary.piece(token.id));
  return pieces;
}

TEST(WordMerger, WithoutMergesGivesBytes) {
  const Tables tables({"x y"});
  EXPECT_THAT(Merged(tables, "abc"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Merged(tables, ""), ElementsAre());
}

TEST(WordMerger, TheLowestRankGoesFirst) {
  EXPECT_THAT(Merged(Tables({"b c", "a b"}), "abc"), ElementsAre("a", "bc"));
  EXPECT_THAT(Merged(Tables({"a b", "b c"}), "abc"), ElementsAre("ab", "c"));
}

TEST(WordMerger, OfEqualRanksTheLeftmostGoesFirst) {
  const Tables tables({"a a"});
  EXPECT_THAT(Merged(tables, "aaaaa"), ElementsAre("aa", "aa", "a"));
}

TEST(WordMerger, MergesWhatMergesMade) {
  const Tables tables({"l o", "lo w", "e r", "low er"});
  EXPECT_THAT(Merged(tables, "lower"), ElementsAre("lower"));
  EXPECT_THAT(Merged(tables, "lowlow"), ElementsAre("low", "low"));
}

TEST(WordMerger, DropsMergesWhoseSidesHaveGrown) {
  // (b c) is possible at first; after (a b) there is no b any more, and (ab c) is no merge.
  const Tables tables({"a b", "c d", "b c"});
  EXPECT_THAT(Merged(tables, "abcd"), ElementsAre("ab", "cd"));
  EXPECT_THAT(Merged(tables, "abc"), ElementsAre("ab", "c"));
}

TEST(WordMerger, OffsetsCountFromTheInput) {
  const Tables tables({"a b"});
  std::vector<EncodedToken> tokens;
  WordMerger merger(&tables.vocabulary, &tables.table);
  merger.Append("abc", 10, &tokens);
  merger.Append("ab", 13, &tokens);
  EXPECT_THAT(tokens, ElementsAre(EncodedToken{257, 10, 12}, EncodedToken{'c', 12, 13}, EncodedToken{257, 13, 15}));
}

// The definition, word for word: look at all pairs, do the leftmost of the lowest rank, repeat.
std::vector<std::string> MergedByDefinition(const Tables& tables, absl::string_view word) {
  std::vector<uint32_t> ids(word.begin(), word.end());
  for (;;) {
    const Merge* best = nullptr;
    size_t place = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const Merge* merge = tables.table.Find(ids[i], ids[i + 1]);
      if (merge != nullptr && (best == nullptr || merge->rank < best->rank)) {
        best = merge;
        place = i;
      }
    }
    if (best == nullptr) break;
    ids[place] = best->id;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(place) + 1);
  }
  std::vector<std::string> pieces;
  for (const uint32_t id : ids) pieces.push_back(tables.vocabulary.piece(id));
  return pieces;
}

// Merges of random pieces over three letters, in random order: pieces may come before what they are
// made of.
std::vector<std::string> RandomMerges(std::mt19937* random) {
  std::vector<std::string> pieces = {"a", "b", "c"};
  std::set<std::string> merges;
  for (int i = 0; i < 12; ++i) {
    const std::string left = pieces[(*random)() % pieces.size()];
    const std::string right = pieces[(*random)() % pieces.size()];
    if (merges.insert(absl::StrCat(left, " ", right)).second) pieces.push_back(left + right);
  }
  std::vector<std::string> shuffled(merges.begin(), merges.end());
  std::shuffle(shuffled.begin(), shuffled.end(), *random);
  return shuffled;
}

TEST(WordMerger, AgreesWithTheDefinitionOnRandomTables) {
  std::mt19937 random(20240611);
  for (int round = 0; round < 100; ++round) {
    const Tables tables(RandomMerges(&random));
    for (int i = 0; i < 20; ++i) {
      std::string word(random() % 60, '\0');
      for (char& byte : word) byte = "abc"[random() % 3];
      EXPECT_EQ(Merged(tables, word), MergedByDefinition(tables, word)) << word;
    }
  }
}

}  // namespace
}  // namespace hydrophone
