#include "server/plan/select/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/plan/inputs/positions.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The fake model has 2 heads of 4 features, and a width of 8.
class ReadUnitsTest : public ::testing::Test {
 protected:
  Units Read(const std::string& text, Site site, std::vector<int64_t> lengths = {3}) {
    return ReadUnits(Parse<v1::Units>(text), "hooks[0].units", HookPointOf(site), lengths, server_.model, &violations_);
  }

  FakeServer server_;
  Violations violations_;
};

TEST_F(ReadUnitsTest, CountsNegativeOnesFromTheEndAndKeepsTheOrder) {
  Units units = Read("heads: [-1, 0] features: [3, -4, 1]", Site::kZ);
  EXPECT_THAT(units.heads, ElementsAre(1, 0));
  EXPECT_THAT(units.features, ElementsAre(3, 0, 1));
  EXPECT_TRUE(violations_.empty());
}

TEST_F(ReadUnitsTest, FeaturesAreTheLastDimensionsIndices) {
  EXPECT_THAT(Read("features: [7, -8]", Site::kAttnOut).features, ElementsAre(7, 0));
  EXPECT_THAT(Read("features: -1", Site::kMlpPre).features, ElementsAre(19));
  EXPECT_THAT(Read("features: -1", Site::kResult).features, ElementsAre(7));
  EXPECT_TRUE(violations_.empty());
}

TEST_F(ReadUnitsTest, NamesEachIndexOutOfRange) {
  Read("heads: [0, 2, -3] features: [4, -5, 0]", Site::kQ);
  EXPECT_THAT(Lines(violations_), ElementsAre("hooks[0].units.heads[1]: got 2, expected -2 to 1",
                                              "hooks[0].units.heads[2]: got -3, expected -2 to 1",
                                              "hooks[0].units.features[0]: got 4, expected -4 to 3",
                                              "hooks[0].units.features[1]: got -5, expected -4 to 3"));
}

TEST_F(ReadUnitsTest, RefusesAUnitTwiceHoweverItIsSpelled) {
  Read("heads: [1, -1] features: [2, 2]", Site::kQ);
  EXPECT_THAT(Lines(violations_), ElementsAre("hooks[0].units.heads[1]: got 1 again, expected each once",
                                              "hooks[0].units.features[1]: got 2 again, expected each once"));
}

TEST_F(ReadUnitsTest, RefusesHeadsOfAPointWithoutHeads) {
  Read("heads: 0 features: 0", Site::kMlpOut);
  EXPECT_THAT(Lines(violations_), ElementsAre("hooks[0].units.heads: got heads of blocks.L.hook_mlp_out, which has "
                                              "none; expected no heads"));
}

TEST_F(ReadUnitsTest, RefusesAnEmptyList) {
  Read("", Site::kQ);
  EXPECT_THAT(Lines(violations_),
              ElementsAre("hooks[0].units: got no heads and no features, expected at least one of them"));
}

TEST_F(ReadUnitsTest, KeysMustBeInTheShortestRun) {
  EXPECT_THAT(Read("heads: 1 features: [0, 1]", Site::kPattern, {3, kNoRun, 2}).features, ElementsAre(0, 1));
  EXPECT_TRUE(violations_.empty());
  Read("features: 2", Site::kAttnScores, {3, kNoRun, 2});
  Read("features: -1", Site::kAttnScores, {3, 2});
  EXPECT_THAT(Lines(violations_),
              ElementsAre("hooks[0].units.features[0]: got 2, expected 0 to 1: the runs have different lengths, and "
                          "their keys no common end",
                          "hooks[0].units.features[0]: got -1, expected 0 to 1: the runs have different lengths, and "
                          "their keys no common end"));
}

TEST_F(ReadUnitsTest, KeysOfRunsOfOneLengthCountFromTheEnd) {
  EXPECT_THAT(Read("features: -1", Site::kPattern, {3, 3}).features, ElementsAre(2));
  Read("features: 3", Site::kPattern, {3, 3});
  EXPECT_THAT(Lines(violations_), ElementsAre("hooks[0].units.features[0]: got 3, expected -3 to 2"));
}

TEST_F(ReadUnitsTest, NothingIsSaidOfKeysWhenNoRunIsMade) {
  EXPECT_THAT(Read("features: 99", Site::kPattern, {kNoRun}).features, IsEmpty());
  EXPECT_TRUE(violations_.empty());
}

}  // namespace
}  // namespace hydrophone
