#include "client/cpp/cli/table.h"

#include <sstream>

#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

TEST(Table, NumbersToTheRightWordsToTheLeft) {
  Table table({"id", "piece", "byte"});
  table.Add({"15496", "Hello", "0"});
  table.Add({"995", "\u0120w", "5"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(),
            "   id  piece  byte\n"
            "15496  Hello     0\n"
            "  995  \u0120w        5\n");
}

TEST(Table, WithoutNamesItHasNoHead) {
  Table table;
  table.Add({"blocks", "12 of width 64"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(), "blocks  12 of width 64\n");
}

TEST(Short, KeepsFiveDigits) {
  EXPECT_EQ(Short(0), "0");
  EXPECT_EQ(Short(1.4901161e-8), "1.4901e-08");
  EXPECT_EQ(Short(12345.678), "12346");
}

}  // namespace
}  // namespace hydrophone::client
