#include "client/cpp/cli/display/style.h"

#include <cmath>

#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

constexpr Terminal kTerminal{true, 80};
constexpr Terminal kPipe{};

TEST(UsesColour, OnATerminalThatWantsIt) {
  EXPECT_TRUE(UsesColour("auto", kTerminal, nullptr, "xterm"));
  EXPECT_TRUE(UsesColour("auto", kTerminal, "", nullptr)) << "an empty NO_COLOR says nothing";
  EXPECT_FALSE(UsesColour("auto", kPipe, nullptr, "xterm"));
  EXPECT_FALSE(UsesColour("auto", kTerminal, "1", "xterm"));
  EXPECT_FALSE(UsesColour("auto", kTerminal, nullptr, "dumb"));
}

TEST(UsesColour, TheOptionComesBeforeTheEnvironment) {
  EXPECT_TRUE(UsesColour("always", kPipe, "1", "dumb"));
  EXPECT_FALSE(UsesColour("never", kTerminal, nullptr, "xterm"));
}

TEST(Style, PaintsOnlyWithColour) {
  EXPECT_EQ((Style{false, 80}).Paint(Ink::kBad, "x"), "x");
  EXPECT_EQ((Style{true, 80}).Paint(Ink::kBad, "x"), "\x1b[1;31mx\x1b[0m");
  EXPECT_EQ((Style{true, 80}).Paint(Ink::kPlain, "x"), "x");
  EXPECT_EQ((Style{true, 80}).Paint(Ink::kGood, ""), "");
}

TEST(ShadeOf, ProbabilitiesInQuarters) {
  EXPECT_EQ(ShadeOf(0.24), Ink::kPlain);
  EXPECT_EQ(ShadeOf(0.25), Ink::kShade1);
  EXPECT_EQ(ShadeOf(0.5), Ink::kShade2);
  EXPECT_EQ(ShadeOf(1), Ink::kShade3);
  EXPECT_EQ(ShadeOf(std::nan("")), Ink::kPlain);
}

}  // namespace
}  // namespace hydrophone::client
