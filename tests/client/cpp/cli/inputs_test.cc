#include "client/cpp/cli/inputs.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string JsonError(const std::string& line) {
  std::istringstream stream("{\"text\": \"fine\"}\n" + line + "\n");
  return std::string(InputsFromJsonLines(stream, "x.jsonl").status().message());
}

TEST(InputsFromLines, ALineIsAnInput) {
  std::istringstream stream("first\r\n second \nthird");
  const auto inputs = InputsFromLines(stream, "x");
  ASSERT_TRUE(inputs.ok());
  ASSERT_EQ(inputs->size(), 3u);
  EXPECT_EQ((*inputs)[0].input.text(), "first");
  EXPECT_EQ((*inputs)[1].input.text(), " second ");
  EXPECT_EQ((*inputs)[2].input.text(), "third");
}

TEST(InputsFromLines, AnEmptyLineIsNamed) {
  std::istringstream stream("a\n\nb\n");
  EXPECT_THAT(std::string(InputsFromLines(stream, "x.txt").status().message()),
              HasSubstr("x.txt:2: the line is empty"));
}

TEST(InputsFromLines, AnEmptyLineMayBeLeftToTheServer) {
  std::istringstream stream("a\n\nb\n");
  const auto inputs = InputsFromLines(stream, "x", /*keep_empty=*/true);
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  ASSERT_EQ(inputs->size(), 3u);
  EXPECT_EQ((*inputs)[1].input.text(), "");
}

TEST(InputsFromLines, AByteOrderMarkIsNoText) {
  std::istringstream stream("\xEF\xBB\xBFone\n\xEF\xBB\xBFtwo\n");
  const auto inputs = InputsFromLines(stream, "x");
  EXPECT_EQ((*inputs)[0].input.text(), "one");
  EXPECT_EQ((*inputs)[1].input.text(), "\xEF\xBB\xBFtwo");
}

TEST(InputsFromLines, OtherEncodingsAreRefusedAsSuch) {
  const auto error = [](const std::string& bytes) {
    std::istringstream stream(bytes);
    return std::string(InputsFromLines(stream, "x.txt").status().message());
  };
  EXPECT_THAT(error(std::string("\xff\xfeh\0i\0", 6)), HasSubstr("x.txt:1: the text is UTF-16, expected UTF-8"));
  EXPECT_THAT(error(std::string("\xfe\xff\0h", 4)), HasSubstr("UTF-16"));
  EXPECT_THAT(error("a\ncaf\xe9\n"), HasSubstr("x.txt:2: the line is not UTF-8"));
}

TEST(InputFromText, BytesThatAreNotUtf8GoAsBytes) {
  EXPECT_EQ(InputFromText("caf\xe9").text(), "");
  EXPECT_EQ(InputFromText("caf\xe9").raw_text(), "caf\xe9");
}

TEST(InputsFromJsonLines, TakesTextIdsAndBytesWithKeys) {
  std::istringstream stream(
      "{\"text\": \"a\\u00e9\", \"key\": \"k\"}\n\n{\"token_ids\": [1, "
      "50256]}\r\n{\"text_bytes_base64\": \"/wA=\"}\n");
  const auto inputs = InputsFromJsonLines(stream, "x");
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  ASSERT_EQ(inputs->size(), 3u);
  EXPECT_EQ((*inputs)[0].input.text(), "a\u00e9");
  EXPECT_EQ((*inputs)[0].input.key(), "k");
  EXPECT_THAT((*inputs)[1].input.token_ids(), ElementsAre(1, 50256));
  EXPECT_EQ((*inputs)[2].input.raw_text(), std::string("\xff\x00", 2));
}

TEST(InputsFromJsonLines, SaysWhatIsWrongAndInWhichLine) {
  EXPECT_THAT(JsonError("{\"text\": "), HasSubstr("x.jsonl:2: the line is not JSON: syntax error near byte"));
  EXPECT_THAT(JsonError("[1]"), HasSubstr("the line is neither a JSON object nor a JSON string"));
  EXPECT_THAT(JsonError(R"({"text": "\ud83d"})"), HasSubstr("half of a surrogate pair"));
  EXPECT_THAT(JsonError(R"({"text": "a", "text": "b"})"), HasSubstr("has the key \"text\" twice"));
  EXPECT_THAT(JsonError("{\"txt\": \"a\"}"), HasSubstr("unknown field \"txt\""));
  EXPECT_THAT(JsonError("{\"key\": \"k\"}"), HasSubstr("got 0 of"));
  EXPECT_THAT(JsonError("{\"text\": \"a\", \"token_ids\": [1]}"), HasSubstr("got 2 of"));
  EXPECT_THAT(JsonError("{\"text\": 5}"), HasSubstr("\"text\" is not a string"));
  EXPECT_THAT(JsonError("{\"token_ids\": [1, -1]}"), HasSubstr("holds -1"));
  EXPECT_THAT(JsonError("{\"token_ids\": [4294967296]}"), HasSubstr("holds 4294967296"));
  EXPECT_THAT(JsonError("{\"text_bytes_base64\": \"?\"}"), HasSubstr("not base64"));
}

TEST(ReadInputs, TakesAllSourcesInOrder) {
  const TemporaryDirectory directory;
  WriteFile(directory / "lines", "two\n");
  std::istringstream standard_input("{\"text\": \"three\"}\n");
  const auto inputs = ReadInputs({{"one"}, directory / "lines", "-"}, standard_input);
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  ASSERT_EQ(inputs->size(), 3u);
  EXPECT_EQ((*inputs)[0].input.text(), "one");
  EXPECT_EQ((*inputs)[1].input.text(), "two");
  EXPECT_EQ((*inputs)[2].input.text(), "three");
}

TEST(ReadInputs, AMissingFileIsNamed) {
  std::istringstream standard_input;
  EXPECT_THAT(std::string(ReadInputs({{}, "/no/such/file", ""}, standard_input).status().message()),
              HasSubstr("/no/such/file"));
}

}  // namespace
}  // namespace hydrophone::client
