#include "server/tokenizer/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "server/tokenizer/byte_level_bpe.h"
#include "tests/server/tokenizer/small_vocabulary.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A directory of the test's own with a vocab.json and a merges.txt that can be spoilt.
class LoadTest : public ::testing::Test {
 protected:
  LoadTest() {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    directory_ = std::filesystem::path(::testing::TempDir()) / ("hydrophone_load_" + name);
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directory(directory_);
    vocab_ = (directory_ / "vocab.json").string();
    merges_ = (directory_ / "merges.txt").string();
    both_ = (directory_ / "tokenizer.json").string();
    Write(vocab_, SmallVocabJson({"ab"}));
    Write(merges_, "#version: 0.2\na b\n");
  }
  ~LoadTest() override { std::filesystem::remove_all(directory_); }

  static void Write(const std::string& path, absl::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  // The error of loading the directory, which must be of `code` and name `path`.
  std::string ErrorAt(const std::string& path, absl::StatusCode code) const {
    const absl::Status status = LoadTokenizer(directory_.string()).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), StartsWith(path + ": "));
    return std::string(status.message());
  }

  std::filesystem::path directory_;
  std::string vocab_;
  std::string merges_;
  std::string both_;
};

TEST_F(LoadTest, LoadsASmallTokenizer) {
  const auto tokenizer = LoadTokenizer(directory_.string());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ((*tokenizer)->vocab_size(), 258);
  EXPECT_THAT(PiecesOf(**tokenizer, (*tokenizer)->Encode("abba", SpecialTokens::kAsTokens)),
              ::testing::ElementsAre("ab", "b", "a"));
}

TEST_F(LoadTest, DigestsBothFiles) {
  // sha256sum of the concatenation of GPT-2's two files.
  EXPECT_EQ(Gpt2().sha256(), "00f404d36600411e497efb3df08d3b4e094f0820e2595afcb7cbd0c4353d4fcb");
}

TEST_F(LoadTest, TheDigestFollowsTheBytesOfEitherFile) {
  const std::string before((*LoadTokenizer(directory_.string()))->sha256());
  Write(merges_, "#version: 0.3\na b\n");
  const std::string after((*LoadTokenizer(directory_.string()))->sha256());
  EXPECT_NE(before, after);
  Write(vocab_, SmallVocabJson({"ab", "c d"}));
  EXPECT_NE(after, (*LoadTokenizer(directory_.string()))->sha256());
}

TEST_F(LoadTest, AMissingFileIsNamedWithAHint) {
  std::filesystem::remove(merges_);
  EXPECT_THAT(ErrorAt(merges_, absl::StatusCode::kNotFound), HasSubstr("tokenizer.json"));
  std::filesystem::remove(vocab_);
  Write(merges_, "#version: 0.2\na b\n");
  ErrorAt(vocab_, absl::StatusCode::kNotFound);
}

TEST_F(LoadTest, ADirectoryWithoutAnyTokenizerLoadsAsOne) {
  std::filesystem::remove(vocab_);
  std::filesystem::remove(merges_);
  Write((directory_ / "tokenizer_config.json").string(), "{}");
  const auto tokenizer = LoadTokenizer(directory_.string());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_TRUE(IsMissing(**tokenizer));
  EXPECT_EQ((*tokenizer)->sha256(), "");
  EXPECT_EQ(PieceOf(**tokenizer, 7), "");
  EXPECT_EQ(BytesOf(**tokenizer, 7), 0);
}

TEST_F(LoadTest, SettingsCountAndAreDigested) {
  const std::string before((*LoadTokenizer(directory_.string()))->sha256());
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}) {
    const std::string path = (directory_ / name).string();
    Write(path, R"({"pad_token": 300})");
    if (std::string(name) != "added_tokens.json") {
      EXPECT_THAT(ErrorAt(path, absl::StatusCode::kInvalidArgument), HasSubstr("pad_token is 300, expected a token"));
      Write(path, R"({"pad_token": "[PAD]"})");
    }
    const auto tokenizer = LoadTokenizer(directory_.string());
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    EXPECT_EQ((*tokenizer)->vocab_size(), 259) << name;
    EXPECT_EQ((*tokenizer)->base_vocab_size(), 258) << name;
    EXPECT_NE((*tokenizer)->sha256(), before) << name;
    Write(path, "[");
    EXPECT_THAT(ErrorAt(path, absl::StatusCode::kInvalidArgument), HasSubstr("is not JSON"));
    Write(path, "[]");
    EXPECT_THAT(ErrorAt(path, absl::StatusCode::kInvalidArgument), HasSubstr("expected an object"));
    std::filesystem::remove(path);
  }
}

TEST_F(LoadTest, TheModelsConfigMayNameTheClass) {
  Write((directory_ / "config.json").string(), R"({"tokenizer_class": "BertTokenizer"})");
  EXPECT_THAT(ErrorAt((directory_ / "config.json").string(), absl::StatusCode::kInvalidArgument),
              HasSubstr("tokenizer_class is \"BertTokenizer\""));
  Write((directory_ / "tokenizer_config.json").string(), R"({"tokenizer_class": "GPT2Tokenizer"})");
  EXPECT_TRUE(LoadTokenizer(directory_.string()).ok());
}

TEST_F(LoadTest, TokenizerJsonAloneIsTheSameTokenizer) {
  std::filesystem::remove(vocab_);
  std::filesystem::remove(merges_);
  Write(both_, SmallTokenizerJson({"ab"}, R"(["a b"])"));
  const auto tokenizer = LoadTokenizer(directory_.string());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_THAT(PiecesOf(**tokenizer, (*tokenizer)->Encode("abba", SpecialTokens::kAsTokens)),
              ::testing::ElementsAre("ab", "b", "a"));
}

TEST_F(LoadTest, TokenizerJsonCountsWhereBothFormsAre) {
  Write(vocab_, "damaged");
  Write(both_, SmallTokenizerJson({"ab"}, R"(["a b"])"));
  EXPECT_TRUE(LoadTokenizer(directory_.string()).ok());
  Write(both_, "damaged");
  EXPECT_THAT(ErrorAt(both_, absl::StatusCode::kInvalidArgument), HasSubstr("is not JSON"));
}

TEST_F(LoadTest, BadTablesOfTokenizerJsonAreNamed) {
  std::filesystem::remove(vocab_);
  std::filesystem::remove(merges_);
  Write(both_, SmallTokenizerJson({}, R"(["a b"])"));
  EXPECT_THAT(ErrorAt(both_, absl::StatusCode::kInvalidArgument),
              HasSubstr("model.merges: line 1: piece \"ab\" is not in the vocabulary"));
  Write(
      both_,
      R"({"model": {"type": "BPE", "merges": []}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}})");
  EXPECT_THAT(ErrorAt(both_, absl::StatusCode::kInvalidArgument), HasSubstr("model.vocab is null, expected an object"));
  Write(both_, "{");
  EXPECT_THAT(ErrorAt(both_, absl::StatusCode::kInvalidArgument), HasSubstr("not JSON"));
}

TEST_F(LoadTest, ADirectoryIsNoFile) {
  std::filesystem::remove(vocab_);
  std::filesystem::create_directory(vocab_);
  EXPECT_THAT(ErrorAt(vocab_, absl::StatusCode::kInvalidArgument), HasSubstr("not a regular file"));
}

TEST_F(LoadTest, AHugeFileIsNotRead) {
  std::filesystem::resize_file(vocab_, (uintmax_t{64} << 20) + 1);  // sparse
  EXPECT_THAT(ErrorAt(vocab_, absl::StatusCode::kInvalidArgument), HasSubstr("67108865 bytes"));
}

TEST_F(LoadTest, ABadVocabularyIsNamed) {
  Write(vocab_, "{");
  EXPECT_THAT(ErrorAt(vocab_, absl::StatusCode::kInvalidArgument), HasSubstr("bad JSON"));
}

TEST_F(LoadTest, AnEmptyVocabularyIsNamed) {
  Write(vocab_, "");
  EXPECT_THAT(ErrorAt(vocab_, absl::StatusCode::kInvalidArgument), HasSubstr("bad JSON"));
}

TEST_F(LoadTest, BadMergesAreNamed) {
  Write(merges_, "#version: 0.2\na b\nb a\n");
  EXPECT_THAT(ErrorAt(merges_, absl::StatusCode::kInvalidArgument),
              HasSubstr("line 3: piece \"ba\" is not in the vocabulary"));
}

// One to three bytes of `text` replaced, dropped or doubled.
std::string Damaged(std::string text, std::mt19937* random) {
  for (size_t i = 1 + (*random)() % 3; i > 0; --i) {
    const size_t place = (*random)() % text.size();
    switch ((*random)() % 3) {
      case 0:
        text[place] = static_cast<char>((*random)());
        break;
      case 1:
        text.erase(place, 1);
        break;
      default:
        text.insert(place, 1, text[place]);
    }
  }
  return text;
}

// Damage gives an error or another tokenizer, which still gives back every byte.
TEST_F(LoadTest, DamagedFilesAreRefusedOrRoundTrip) {
  const std::string vocab = SmallVocabJson({"ab", "abc", "Ġa", "\u4e2d"});
  const std::string merges = "#version: 0.2\na b\nab c\nĠ a\n";
  std::mt19937 random(9);
  int loaded = 0;
  for (int round = 0; round < 600; ++round) {
    auto vocabulary = Vocabulary::Parse(round % 2 == 0 ? Damaged(vocab, &random) : vocab);
    if (!vocabulary.ok()) continue;
    auto table = MergeTable::Parse(Damaged(merges, &random), *vocabulary);
    if (!table.ok()) continue;
    ++loaded;
    const ByteLevelBpe tokenizer(*std::move(vocabulary), *std::move(table), {}, "");
    std::string input(40, '\0');
    for (char& byte : input) byte = " abc\xE4\xB8\xAD"[random() % 7];
    std::vector<uint32_t> ids;
    for (const EncodedToken& token : tokenizer.Encode(input, SpecialTokens::kAsTokens)) {
      ids.push_back(token.id);
    }
    ASSERT_EQ(*tokenizer.Decode(ids), input);
  }
  EXPECT_GT(loaded, 10);
}

}  // namespace
}  // namespace hydrophone
