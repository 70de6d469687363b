#include "server/tokenizer/tokenizer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "server/tokenizer/vocabulary.h"
#include "tests/server/tokenizer/small_vocabulary.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;

std::string Small() { return SmallTokenizerJson({"ab", "abc"}, R"([["a", "b"], ["ab", "c"]])"); }

// The error of a good file in which one part was replaced. The part must be there.
std::string ErrorAfter(absl::string_view part, absl::string_view replacement) {
  const std::string good = Small();
  const std::string spoilt = absl::StrReplaceAll(good, {{part, replacement}});
  EXPECT_NE(spoilt, good) << part;
  const auto tables = ParseTokenizerJson(spoilt);
  EXPECT_EQ(tables.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(tables.status().message());
}

TEST(TokenizerJsonTest, HoldsWhatTheTwoFilesHold) {
  auto tables = ParseTokenizerJson(Small());
  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_EQ(tables->merges_txt, "a b\nab c\n");
  const auto vocabulary = Vocabulary::Make(std::move(tables->vocabulary));
  ASSERT_TRUE(vocabulary.ok()) << vocabulary.status();
  EXPECT_EQ(vocabulary->size(), 259);
  EXPECT_EQ(vocabulary->Find("abc"), 258);
}

TEST(TokenizerJsonTest, OlderFilesWriteAMergeAsOneString) {
  const auto tables = ParseTokenizerJson(SmallTokenizerJson({"ab"}, R"(["a b"])"));
  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_EQ(tables->merges_txt, "a b\n");
}

TEST(TokenizerJsonTest, EachSettingThatWouldChangeTokensIsRefusedByName) {
  EXPECT_EQ(ErrorAfter("\"type\": \"BPE\"", "\"type\": \"Unigram\""), "model.type is \"Unigram\", expected \"BPE\"");
  EXPECT_EQ(ErrorAfter("\"dropout\": null", "\"dropout\": 0.1"), "model.dropout is 0.1, expected none");
  EXPECT_EQ(ErrorAfter("\"end_of_word_suffix\": \"\"", "\"end_of_word_suffix\": \"</w>\""),
            "model.end_of_word_suffix is \"</w>\", expected none");
  EXPECT_EQ(ErrorAfter("\"byte_fallback\": false", "\"byte_fallback\": true"),
            "model.byte_fallback is true, expected none");
  EXPECT_EQ(ErrorAfter("\"ignore_merges\": false", "\"ignore_merges\": true"),
            "model.ignore_merges is true, expected none");
  EXPECT_EQ(ErrorAfter("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}"),
            "normalizer is {\"type\":\"NFC\"}, expected null");
  EXPECT_EQ(ErrorAfter("\"add_prefix_space\": false", "\"add_prefix_space\": true"),
            "pre_tokenizer.add_prefix_space is true, expected false");
  EXPECT_EQ(ErrorAfter("\"use_regex\": true", "\"use_regex\": false"),
            "pre_tokenizer.use_regex is false, expected true");
  EXPECT_THAT(ErrorAfter("\"pre_tokenizer\": {\"type\": \"ByteLevel\"", "\"pre_tokenizer\": {\"type\": \"Whitespace\""),
              HasSubstr("expected one of type \"ByteLevel\""));
  EXPECT_THAT(ErrorAfter("\"post_processor\": {\"type\": \"ByteLevel\"",
                         "\"post_processor\": {\"type\": \"TemplateProcessing\""),
              HasSubstr("post_processor is {"));
}

TEST(TokenizerJsonTest, ATemplateMayNotAddTokens) {
  const std::string gpt2s =
      R"("post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true})";
  const std::string text_alone =
      R"("post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}]})";
  EXPECT_TRUE(ParseTokenizerJson(absl::StrReplaceAll(Small(), {{gpt2s, text_alone}})).ok());
  EXPECT_THAT(ErrorAfter(gpt2s, R"("post_processor": {"type": "TemplateProcessing", "single": [
                  {"SpecialToken": {"id": "<|endoftext|>"}}, {"Sequence": {"id": "A"}}]})"),
              HasSubstr("expected one that adds no tokens"));
}

TEST(TokenizerJsonTest, NoAddedTokenButGpt2s) {
  EXPECT_EQ(ErrorAfter("\"content\": \"<|endoftext|>\"", "\"content\": \"<|im_start|>\""),
            "added_tokens[0].content is \"<|im_start|>\", expected \"<|endoftext|>\" only");
  EXPECT_EQ(ErrorAfter("\"lstrip\": false", "\"lstrip\": true"), "added_tokens[0].lstrip is true, expected false");
}

TEST(TokenizerJsonTest, AMergeIsTwoPieces) {
  EXPECT_EQ(ErrorAfter("[\"ab\", \"c\"]", "[\"ab\"]"), "model.merges[1] is [\"ab\"], expected two pieces");
  EXPECT_EQ(ErrorAfter("[[\"a\", \"b\"], [\"ab\", \"c\"]]", "7"), "model.merges is 7, expected an array");
  EXPECT_THAT(ErrorAfter("[\"ab\", \"c\"]", "[\"ab\", \"c\\na b\"]"), HasSubstr("model.merges[1] is "));
  EXPECT_THAT(ErrorAfter("[\"ab\", \"c\"]", "[\"#version\", \"c\"]"), HasSubstr("model.merges[1] is "));
}

TEST(TokenizerJsonTest, AnIdIsAWholeNumber) {
  EXPECT_EQ(ErrorAfter("\"abc\": 258", "\"abc\": \"258\""), "model.vocab[\"abc\"] is \"258\", expected an id");
  EXPECT_EQ(ErrorAfter("\"abc\": 258", "\"abc\": -1"), "model.vocab[\"abc\"] is -1, expected an id");
  EXPECT_EQ(ErrorAfter("\"abc\": 258", "\"abc\": {}"), "model.vocab[\"abc\"] is {}, expected an id");
}

TEST(TokenizerJsonTest, OtherJsonIsRefused) {
  for (const char* json : {"", "{", "[]", "3", "null", "{}", R"({"model": 3})", R"({"model": {}, "model": {}})"}) {
    EXPECT_EQ(ParseTokenizerJson(json).status().code(), absl::StatusCode::kInvalidArgument) << json;
  }
}

}  // namespace
}  // namespace hydrophone
