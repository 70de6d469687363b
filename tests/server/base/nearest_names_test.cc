#include "server/base/nearest_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(EditDistanceTest, CountsInsertionsDeletionsAndReplacements) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("hook_attn_ot", "hook_attn_out"), 1u);
}

TEST(NearestNamesTest, TheNearestComeFirstAndFarOnesNotAtAll) {
  EXPECT_THAT(NearestNames("hook_attn_ot", {"hook_embed", "hook_attn_in", "hook_attn_out"}, 3),
              ElementsAre("hook_attn_out", "hook_attn_in"));
  EXPECT_THAT(NearestNames("xyz", {"hook_embed"}, 3), IsEmpty());
}

TEST(NearestNamesTest, GivesAtMostTheLimitInTheCandidatesOrder) {
  EXPECT_THAT(NearestNames("ln", {"ln1", "ln2", "ln3"}, 2), ElementsAre("ln1", "ln2"));
}

TEST(NearestNamesTest, APartOfANameIsNear) {
  EXPECT_THAT(NearestNames("resid", {"hook_embed", "hook_resid_pre"}, 3), ElementsAre("hook_resid_pre"));
}

}  // namespace
}  // namespace hydrophone
