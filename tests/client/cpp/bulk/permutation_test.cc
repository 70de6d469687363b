#include "client/cpp/bulk/permutation.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// numpy.random.RandomState(SEED).permutation(COUNT)
TEST(Permutation, IsNumPys) {
  EXPECT_THAT(Permutation(7, 10), ElementsAre(8, 5, 0, 2, 1, 9, 7, 3, 6, 4));
  std::vector<size_t> longer = Permutation(0, 300);
  EXPECT_THAT(std::vector<size_t>(longer.begin(), longer.begin() + 6), ElementsAre(208, 188, 12, 221, 239, 136));
  std::sort(longer.begin(), longer.end());
  for (size_t i = 0; i < longer.size(); ++i) EXPECT_EQ(longer[i], i);
}

TEST(Permutation, OfNothingAndOfOneIsThat) {
  EXPECT_THAT(Permutation(1, 0), IsEmpty());
  EXPECT_THAT(Permutation(4294967295U, 1), ElementsAre(0));
}

}  // namespace
}  // namespace hydrophone::client
