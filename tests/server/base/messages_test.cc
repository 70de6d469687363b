#include "server/base/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

TEST(MessagesTest, TextIsPrintableAndBounded) {
  EXPECT_EQ(Printable("h.0.attn"), "h.0.attn");
  EXPECT_EQ(Printable("a\n\x01\xff\"\\"), "a\\x0a\\x01\\xff\"\\");
  EXPECT_EQ(Printable(std::string(1000, 'a')), std::string(100, 'a') + "...");
}

TEST(MessagesTest, ShapesReadLikePythons) {
  EXPECT_EQ(ShapeText({}), "[]");
  EXPECT_EQ(ShapeText({768, 2304}), "[768, 2304]");
  EXPECT_EQ(ShapeText(std::vector<int64_t>(1000, 1)), "[1000 dimensions]");
}

TEST(MessagesTest, AnnotationKeepsTheCode) {
  EXPECT_EQ(Annotate(absl::DataLossError("is cut"), "x"), absl::DataLossError("x: is cut"));
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
}

TEST(NamedThingsTest, NamesTwentyAndCountsAll) {
  NamedThings things;
  EXPECT_TRUE(things.empty());
  for (int i = 0; i < 20; ++i) things.Add(absl::StrCat("t", i));
  EXPECT_THAT(things.Text("missing"), StartsWith("20 missing: t0, t1, t2"));
  EXPECT_THAT(things.Text("missing"), EndsWith("t19"));
  things.Add("t20");
  EXPECT_THAT(things.Text("missing"), StartsWith("21 missing: t0"));
  EXPECT_THAT(things.Text("missing"), EndsWith("t19, and 1 more"));
}

}  // namespace
}  // namespace hydrophone
