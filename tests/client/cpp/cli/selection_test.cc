#include "client/cpp/cli/selection.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ParseLayers, TakesNumbersRangesAndMixtures) {
  EXPECT_THAT(*ParseLayers("10"), ElementsAre(10));
  EXPECT_THAT(*ParseLayers("0,5,-1"), ElementsAre(0, 5, -1));
  EXPECT_THAT(*ParseLayers("3-6"), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(*ParseLayers(" 0, 3-4 ,-2"), ElementsAre(0, 3, 4, -2));
}

TEST(ParseLayers, NoneMeansAll) {
  EXPECT_THAT(*ParseLayers(""), IsEmpty());
  EXPECT_THAT(*ParseLayers("all"), IsEmpty());
}

TEST(ParseLayers, RefusesTheRest) {
  for (const char* text :
       {"x", "6-3", "1,", ",", "3-", "-3-5", "-3--1", "1.5", "0-999999999", "99999999999", "0-99999,0-99999"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseLayers(text).status())) << text;
  }
}

TEST(ParseIndices, AreLikeLayersButNeverAll) {
  EXPECT_THAT(*ParseIndices("heads", "0,3-5,-1"), ElementsAre(0, 3, 4, 5, -1));
  EXPECT_THAT(std::string(ParseIndices("heads", "all").status().message()), HasSubstr("heads: got \"all\""));
  EXPECT_FALSE(ParseIndices("heads", "").ok());
}

TEST(ParsePositions, TakesWordsListsAndSlices) {
  EXPECT_THAT(ParsePositions("first")->at(), ElementsAre(0));
  EXPECT_EQ(ParsePositions("all")->slice(), ":");
  EXPECT_THAT(ParsePositions("last")->at(), ElementsAre(-1));
  EXPECT_THAT(ParsePositions("0,5,-1")->at(), ElementsAre(0, 5, -1));
  EXPECT_THAT(ParsePositions("[0, 5]")->at(), ElementsAre(0, 5));
  EXPECT_THAT(ParsePositions("7")->at(), ElementsAre(7));
  EXPECT_EQ(ParsePositions("-1:")->slice(), "-1:");
  EXPECT_EQ(ParsePositions("[1:-1:2]")->slice(), "1:-1:2");
  EXPECT_EQ(ParsePositions("::2")->slice(), "::2");
}

TEST(ParsePositions, RefusesTheRest) {
  for (const char* text : {"", "middle", "1,", "1:2:3:4", "a:b", "[1", "0,last"}) {
    const absl::Status status = ParsePositions(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("slice as NumPy writes it"));
  }
}

TEST(ParseHook, CommonLayersApplyToNamesWithoutOne) {
  EXPECT_THAT(ParseHook("attn.c_proj", {3})->layers(), ElementsAre(3));
  EXPECT_THAT(ParseHook("blocks.10.hook_attn_out", {3})->layers(), IsEmpty());
  EXPECT_THAT(ParseHook("transformer.h.*.mlp.c_proj", {3})->layers(), IsEmpty());
  EXPECT_THAT(ParseHook("hidden_states[-1]", {3})->layers(), IsEmpty());
}

TEST(ParseHook, LayersOfItsOwnComeFirst) {
  const auto hook = ParseHook("hidden_states@10-11", {3});
  EXPECT_EQ(hook->hook_point(), "hidden_states");
  EXPECT_THAT(hook->layers(), ElementsAre(10, 11));
  EXPECT_THAT(ParseHook("hook_embed@", {3})->layers(), IsEmpty());
  EXPECT_FALSE(ParseHook("hidden_states@x", {}).ok());
  for (const char* nameless : {"", "@3"}) {
    EXPECT_THAT(std::string(ParseHook(nameless, {}).status().message()), HasSubstr("expected HOOK or HOOK@LAYERS"));
  }
}

TEST(HasOwnLayers, InTheNameOrBesideIt) {
  for (const char* own :
       {"hidden_states@10", "hook_embed@", "blocks.3.hook_z", "blocks.*.hook_z", "hidden_states[3]"}) {
    EXPECT_TRUE(HasOwnLayers(own)) << own;
  }
  for (const char* common : {"attn.c_proj", "*resid*", "hidden_states"}) EXPECT_FALSE(HasOwnLayers(common)) << common;
}

}  // namespace
}  // namespace hydrophone::client
