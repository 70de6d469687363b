#include "server/obs/log.h"

#include <gtest/gtest.h>

namespace hydrophone {
namespace {

TEST(LogTest, ALineNamesTheEventAndItsFields) {
  EXPECT_EQ(LogLine("loaded the model", {{"seconds", "0.41"}, {"name", "tiny"}}),
            "msg=\"loaded the model\" seconds=0.41 name=tiny");
}

TEST(LogTest, ValuesThatCouldBreakTheLineAreQuotedAndEscaped) {
  EXPECT_EQ(LogLine("a\nb", {{"k", "x y"}, {"e", ""}, {"q", "a=\"b\""}}),
            "msg=\"a\\nb\" k=\"x y\" e=\"\" q=\"a=\\\"b\\\"\"");
}

TEST(LogTest, QuotedValuesAreJsonStrings) {
  EXPECT_EQ(LogLine("it's", {{"k", "a\x01 'b'"}, {"bad", "\xff x"}}),
            "msg=\"it's\" k=\"a\\u0001 'b'\" bad=\"\uFFFD x\"");
}

TEST(LogTest, AnUnknownLevelIsRefusedWithTheChoice) {
  EXPECT_TRUE(SetLogLevel("warning").ok());
  EXPECT_TRUE(SetLogLevel("info").ok());
  absl::Status refused = SetLogLevel("loud");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(), "log level: got \"loud\", expected debug, info, warning, error or off");
}

}  // namespace
}  // namespace hydrophone
