#include "server/tokenizer/tokenizer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "server/tokenizer/vocabulary.h"
#include "tests/server/tokenizer/small_vocabulary.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Json = nlohmann::json;

Json Small() { return Json::parse(SmallTokenizerJson({"ab", "abc"}, R"([["a", "b"], ["ab", "c"]])")); }

// The error of the tables of a good file in which one member of its model is another.
std::string TablesError(const char* member, const Json& value) {
  Json document = Small();
  document["model"][member] = value;
  const auto tables = TablesOf(document);
  EXPECT_EQ(tables.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(tables.status().message());
}

// The one setting of a good file that is not GPT-2's, once `change` has changed it.
template <typename Change>
std::string OtherAfter(Change change) {
  Json document = Small();
  EXPECT_TRUE(OtherThanGpt2(document).empty());
  change(document);
  const std::vector<absl::Status> others = OtherThanGpt2(document);
  EXPECT_EQ(others.size(), 1);
  return others.empty() ? "" : std::string(others[0].message());
}

TEST(TokenizerJsonTest, HoldsWhatTheTwoFilesHold) {
  auto tables = TablesOf(Small());
  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_EQ(tables->merges_txt, "a b\nab c\n");
  const auto vocabulary = Vocabulary::Make(std::move(tables->vocabulary));
  ASSERT_TRUE(vocabulary.ok()) << vocabulary.status();
  EXPECT_EQ(vocabulary->size(), 259);
  EXPECT_EQ(vocabulary->Find("abc"), 258);
}

TEST(TokenizerJsonTest, OlderFilesWriteAMergeAsOneString) {
  const auto tables = TablesOf(Json::parse(SmallTokenizerJson({"ab"}, R"(["a b"])")));
  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_EQ(tables->merges_txt, "a b\n");
}

TEST(TokenizerJsonTest, EachSettingThatWouldChangeTokensIsNamed) {
  EXPECT_EQ(OtherAfter([](Json& json) { json["model"]["dropout"] = 0.5; }), "model.dropout is 0.5, expected none");
  EXPECT_EQ(OtherAfter([](Json& json) { json["model"]["end_of_word_suffix"] = "</w>"; }),
            "model.end_of_word_suffix is \"</w>\", expected none");
  EXPECT_EQ(OtherAfter([](Json& json) { json["model"]["ignore_merges"] = true; }),
            "model.ignore_merges is true, expected none");
  EXPECT_EQ(OtherAfter([](Json& json) { json["normalizer"]["type"] = "NFC"; }),
            "normalizer is {\"type\":\"NFC\"}, expected null");
  EXPECT_EQ(OtherAfter([](Json& json) { json["pre_tokenizer"]["add_prefix_space"] = 1; }),
            "pre_tokenizer.add_prefix_space is 1, expected true or false");
  EXPECT_EQ(OtherAfter([](Json& json) { json["pre_tokenizer"]["use_regex"] = false; }),
            "pre_tokenizer.use_regex is false, expected true");
  EXPECT_THAT(OtherAfter([](Json& json) { json["pre_tokenizer"]["type"] = "Whitespace"; }),
              HasSubstr("expected one of type \"ByteLevel\""));
}

Json Template(const char* single) {
  Json json = {{"type", "TemplateProcessing"}};
  json["single"] = Json::parse(single);
  json["special_tokens"]["<s>"]["ids"] = {5U, 6U};
  return json;
}

TEST(TokenizerJsonTest, ATemplatePutsIdsAroundAText) {
  const auto both = FrameOf(
      Template(R"([{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "<s>"}}])"));
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_THAT(both->before, ElementsAre(5, 6));
  EXPECT_THAT(both->after, ElementsAre(5, 6));
  const auto none = FrameOf(Template(R"([{"Sequence": {"id": "A"}}])"));
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_TRUE(none->before.empty() && none->after.empty());
  EXPECT_TRUE(FrameOf(Json()).ok());
  Json sequence = {{"type", "Sequence"}};
  sequence["processors"] = Json::array();
  sequence["processors"].push_back(Json::object({{"type", "ByteLevel"}}));
  sequence["processors"].push_back(Template(R"([{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}])"));
  const auto in_sequence = FrameOf(sequence);
  ASSERT_TRUE(in_sequence.ok()) << in_sequence.status();
  EXPECT_THAT(in_sequence->before, ElementsAre(5, 6));
}

TEST(TokenizerJsonTest, OtherPostProcessorsAreRefused) {
  const auto error = [](const Json& json) { return std::string(FrameOf(json).status().message()); };
  EXPECT_THAT(error({{"type", "BertProcessing"}}), HasSubstr("post_processor is {"));
  EXPECT_THAT(error(Template("[]")), HasSubstr("expected a template with the text in it once"));
  EXPECT_THAT(error(Template("[3]")), HasSubstr("expected SpecialToken or Sequence"));
  EXPECT_THAT(error(Template(R"([{"SpecialToken": {"id": "<e>"}}])")), HasSubstr("expected one with the ids of each"));
  Json negative = Template(R"([{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}])");
  negative["special_tokens"]["<s>"]["ids"] = {-1};
  EXPECT_THAT(error(negative), HasSubstr("ids is [-1], expected ids"));
}

TEST(TokenizerJsonTest, AMergeIsTwoPieces) {
  EXPECT_EQ(TablesError("merges", Json::parse(R"([["ab"]])")), "model.merges[0] is [\"ab\"], expected two pieces");
  EXPECT_EQ(TablesError("merges", 7), "model.merges is 7, expected an array");
  EXPECT_THAT(TablesError("merges", Json::parse(R"([["ab", "c\na b"]])")), HasSubstr("model.merges[0] is "));
  EXPECT_THAT(TablesError("merges", Json::parse(R"([["#version", "c"]])")), HasSubstr("model.merges[0] is "));
}

TEST(TokenizerJsonTest, AnIdIsAWholeNumber) {
  const auto error = [](const Json& id) { return TablesError("vocab", {{"abc", id}}); };
  EXPECT_EQ(error("258"), "model.vocab[\"abc\"] is \"258\", expected an id");
  EXPECT_EQ(error(-1), "model.vocab[\"abc\"] is -1, expected an id");
  EXPECT_EQ(error(Json::object()), "model.vocab[\"abc\"] is {}, expected an id");
}

TEST(TokenizerJsonTest, AnotherModelIsRefused) {
  EXPECT_EQ(TablesError("type", "Unigram"), "model.type is \"Unigram\", expected \"BPE\"");
  for (const char* json : {"{}", R"({"model": 3})", R"({"model": {}})"}) {
    EXPECT_EQ(TablesOf(Json::parse(json)).status().code(), absl::StatusCode::kInvalidArgument) << json;
  }
}

}  // namespace
}  // namespace hydrophone
