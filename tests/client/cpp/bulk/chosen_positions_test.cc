#include "client/cpp/bulk/chosen_positions.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int64_t> OfSlice(const std::string& slice, size_t tokens = 5) {
  v1::Positions positions;
  positions.set_slice(slice);
  return ChosenPositions(positions, tokens);
}

TEST(ChosenPositions, AreAllWhereNothingIsSaid) {
  EXPECT_THAT(ChosenPositions({}, 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(ChosenPositions({}, 0), IsEmpty());
}

TEST(ChosenPositions, ListedOnesStayInTheirOrder) {
  v1::Positions positions;
  for (const int at : {3, -1, 0}) positions.add_at(at);
  EXPECT_THAT(ChosenPositions(positions, 5), ElementsAre(3, 4, 0));
}

TEST(ChosenPositions, OfASliceAreThoseOfPython) {
  EXPECT_THAT(OfSlice("1:3"), ElementsAre(1, 2));
  EXPECT_THAT(OfSlice("-2:"), ElementsAre(3, 4));
  EXPECT_THAT(OfSlice(":-3"), ElementsAre(0, 1));
  EXPECT_THAT(OfSlice("::2"), ElementsAre(0, 2, 4));
  EXPECT_THAT(OfSlice("::-2"), ElementsAre(4, 2, 0));
  EXPECT_THAT(OfSlice("3:0:-1"), ElementsAre(3, 2, 1));
  EXPECT_THAT(OfSlice("-9:99"), ElementsAre(0, 1, 2, 3, 4)) << "clipped at both ends";
  EXPECT_THAT(OfSlice("99:-9:-3"), ElementsAre(4, 1)) << "clipped at both ends, backwards";
  EXPECT_THAT(OfSlice("4:2"), IsEmpty());
  EXPECT_THAT(OfSlice("::-1", 0), IsEmpty());
}

TEST(ChosenPositions, OneNumberIsOnePosition) {
  EXPECT_THAT(OfSlice("2"), ElementsAre(2));
  EXPECT_THAT(OfSlice("-1"), ElementsAre(4));
}

}  // namespace
}  // namespace hydrophone::client
