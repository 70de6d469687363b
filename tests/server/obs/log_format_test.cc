#include "server/obs/log_format.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hydrophone {
namespace {

TEST(LogFormatTest, ALineNamesTheEventAndItsFields) {
  EXPECT_EQ(LogLine("loaded the model", {{"seconds", "0.41"}, {"name", "tiny"}}, LogFormat::kLogfmt),
            "msg=\"loaded the model\" seconds=0.41 name=tiny");
}

TEST(LogFormatTest, ValuesThatCouldBreakTheLineAreQuotedAndEscaped) {
  EXPECT_EQ(LogLine("a\nb", {{"k", "x y"}, {"e", ""}, {"q", "a=\"b\""}}, LogFormat::kLogfmt),
            "msg=\"a\\nb\" k=\"x y\" e=\"\" q=\"a=\\\"b\\\"\"");
}

TEST(LogFormatTest, QuotedValuesAreJsonStringsInAscii) {
  EXPECT_EQ(
      LogLine("it's", {{"k", "a\x01 'b'"}, {"bad", "\xff x"}, {"c1", "\xc2\x9b"}, {"del", "\x7f"}}, LogFormat::kLogfmt),
      "msg=\"it's\" k=\"a\\u0001 'b'\" bad=\"\\ufffd x\" c1=\"\\u009b\" del=\"\\u007f\"");
}

TEST(LogFormatTest, TheSameAsMembersOfAJsonObject) {
  const std::string line = LogLine("a\nb", {{"k", "x=\"y\""}, {"n", "0.25", true}, {"e", ""}}, LogFormat::kJson);
  EXPECT_EQ(nlohmann::json::parse("{" + line + "}"),
            nlohmann::json({{"msg", "a\nb"}, {"k", "x=\"y\""}, {"n", 0.25}, {"e", ""}}));
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(LogFormatTest, APatternMakesTheWholeLine) {
  EXPECT_STREQ(LinePattern(LogFormat::kLogfmt), "ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v");
  EXPECT_STREQ(LinePattern(LogFormat::kJson), "{\"ts\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%v}");
}

}  // namespace
}  // namespace hydrophone
