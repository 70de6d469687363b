#include "server/base/bounded_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(absl::string_view text, const JsonLimits& limits = {}) {
  const absl::StatusOr<nlohmann::json> document = ParseBoundedJson(text, limits);
  if (document.ok()) return "";
  EXPECT_EQ(document.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(document.status().message());
}

TEST(BoundedJsonTest, GivesTheDocument) {
  const absl::StatusOr<nlohmann::json> document =
      ParseBoundedJson(R"( {"a": [1, -2, 3.5, true, null, "\u00e9"], "b": {}} )");
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ((*document)["a"].size(), 6u);
  EXPECT_EQ((*document)["a"][5], "é");
}

TEST(BoundedJsonTest, RefusesWhatIsNotJsonAndSaysWhere) {
  for (const std::string text :
       {"", " ", "{", "{\"a\":1,}", "{'a':1}", "[1 2]", "nan", "{\"a\":1}x", "\"\xff\"", "{\"a\"}", "1e999"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("is not JSON: syntax error near byte")) << text;
  }
  EXPECT_THAT(ErrorOf(std::string("[1]\0", 4)), HasSubstr("near byte 4"));
}

TEST(BoundedJsonTest, HalfOfASurrogatePairIsCalledThat) {
  EXPECT_THAT(ErrorOf(R"({"a": "\ud83d"})"), HasSubstr("half of a surrogate pair near byte"));
  EXPECT_THAT(ErrorOf(R"({"a": "\ude00"})"), HasSubstr("half of a surrogate pair near byte"));
  EXPECT_EQ(ErrorOf(R"({"a": "\ud83d\ude00"})"), "");
}

TEST(BoundedJsonTest, ErrorsDoNotRepeatTheText) {
  EXPECT_LT(ErrorOf(absl::StrCat("[", std::string(1 << 20, 'a'))).size(), 100u);
}

TEST(BoundedJsonTest, RefusesAKeyThatComesTwiceInOneObject) {
  EXPECT_THAT(ErrorOf(R"({"a": 1, "b": {"a": 1}, "a": 2})"), HasSubstr("has the key \"a\" twice"));
  EXPECT_THAT(ErrorOf(R"({"b": {"a": 1, "\u0061": 2}})"), HasSubstr("has the key \"a\" twice"));
  EXPECT_EQ(ErrorOf(R"({"a": {"a": 1}, "b": {"a": 1}})"), "");
}

TEST(BoundedJsonTest, RefusesDepthBombs) {
  EXPECT_THAT(ErrorOf(std::string(10'000'000, '[')), HasSubstr("nests deeper than 16 levels"));
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(ErrorOf(objects), HasSubstr("nests deeper than 16 levels"));
  EXPECT_EQ(ErrorOf("[[1]]", {.max_depth = 2}), "");
  EXPECT_THAT(ErrorOf("[[[1]]]", {.max_depth = 2}), HasSubstr("nests deeper"));
}

TEST(BoundedJsonTest, RefusesTooManyValues) {
  EXPECT_EQ(ErrorOf("[1, 2]", {.max_values = 3}), "");
  EXPECT_THAT(ErrorOf("[1, 2, 3]", {.max_values = 3}), HasSubstr("holds more than 3 values"));
  EXPECT_THAT(ErrorOf("[{}, [], {}]", {.max_values = 3}), HasSubstr("holds more than 3 values"));
}

}  // namespace
}  // namespace hydrophone
