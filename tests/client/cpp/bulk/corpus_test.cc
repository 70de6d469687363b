#include "client/cpp/bulk/corpus.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/sha256.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;

class CorpusTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Corpus>> Open(const std::string& text) {
    WriteFile(path_, text);
    return Corpus::Open(path_);
  }
  std::string Refused(const std::string& text) { return std::string(Open(text).status().message()); }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "corpus.jsonl";
};

TEST_F(CorpusTest, ReadsInputsInAnyOrder) {
  const std::string text = "\"one\"\n\n  \n{\"text\": \"two\", \"key\": \"k\"}\r\n{\"token_ids\": [3, 4]}";
  const auto corpus = Open(text);
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  EXPECT_EQ((*corpus)->size(), 3);
  EXPECT_EQ((*corpus)->digest(), Sha256Hex(text));
  const auto last = (*corpus)->Read(2);
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->input.token_ids_size(), 2);
  EXPECT_EQ(last->words, path_ + ":5");
  EXPECT_EQ((*corpus)->Read(1)->input.key(), "k");
  EXPECT_EQ((*corpus)->Read(0)->input.text(), "one");
}

TEST_F(CorpusTest, AByteOrderMarkIsPassedOver) {
  const auto corpus = Open("\xEF\xBB\xBF\"one\"\n\"two\"\n");
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  EXPECT_EQ((*corpus)->Read(0)->input.text(), "one");
  EXPECT_EQ((*corpus)->Read(1)->input.text(), "two");
}

TEST_F(CorpusTest, ALineThatIsNotRightIsNamed) {
  EXPECT_THAT(Refused("\"one\"\n\n[1]\n"), HasSubstr("corpus.jsonl:3: the line is neither"));
  EXPECT_THAT(Refused("{\"text\": 1}"), HasSubstr("corpus.jsonl:1: \"text\" is not a string"));
}

TEST_F(CorpusTest, WhatIsNoFileWithInputsIsRefused) {
  EXPECT_THAT(Refused(" \n\n"), HasSubstr("holds no input"));
  EXPECT_THAT(std::string(Corpus::Open(directory_ / "none").status().message()), HasSubstr("No such file"));
  EXPECT_THAT(std::string(Corpus::Open(directory_.path()).status().message()), HasSubstr("expected a file on disk"));
}

TEST_F(CorpusTest, AFileThatWasChangedMeanwhileIsNoticed) {
  const auto corpus = Open("\"first\"\n\"second\"\n");
  ASSERT_TRUE(corpus.ok());
  WriteFile(path_, "\"first, longer\"\n");
  EXPECT_FALSE((*corpus)->Read(1).ok());
}

}  // namespace
}  // namespace hydrophone::client
