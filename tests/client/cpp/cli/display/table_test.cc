#include "client/cpp/cli/display/table.h"

#include <sstream>

#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

TEST(Table, NumbersToTheRightWordsToTheLeft) {
  Table table({"id", "piece", "byte"});
  table.Add({"15496", "Hello", "0"});
  table.Add({"995", "\u0120w", "5"});
  std::ostringstream out;
  table.Print({}, out);
  EXPECT_EQ(out.str(),
            "   id  piece  byte\n"
            "15496  Hello     0\n"
            "  995  \u0120w        5\n");
}

TEST(Table, WideCharactersKeepTheColumns) {
  Table table({"token", "byte"});
  table.Add({"`日本`", "0"});
  table.Add({"`a`", "6"});
  std::ostringstream out;
  table.Print({}, out);
  EXPECT_EQ(out.str(),
            "token   byte\n"
            "`日本`     0\n"
            "`a`        6\n");
}

TEST(Table, ColourIsAroundTheTextAlone) {
  Table table({"check", "passed"});
  table.Add({"A1", {"no", Ink::kBad}});
  table.Add({"A22", {"yes", Ink::kGood}});
  std::ostringstream out;
  table.Print({true, 80}, out);
  EXPECT_EQ(out.str(),
            "\x1b[1mcheck\x1b[0m  \x1b[1mpassed\x1b[0m\n"
            "A1     \x1b[1;31mno\x1b[0m\n"
            "A22    \x1b[32myes\x1b[0m\n");
}

TEST(Table, WithoutNamesItHasNoHead) {
  Table table;
  table.Add({"blocks", "12 of width 64"});
  std::ostringstream out;
  table.Print({}, out);
  EXPECT_EQ(out.str(), "blocks  12 of width 64\n");
}

TEST(Short, KeepsFiveDigits) {
  EXPECT_EQ(Short(0), "0");
  EXPECT_EQ(Short(1.4901161e-8), "1.4901e-08");
  EXPECT_EQ(Short(12345.678), "12346");
}

}  // namespace
}  // namespace hydrophone::client
