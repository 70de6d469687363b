#include "server/core/name_patterns.h"

#include <gtest/gtest.h>

namespace hydrophone {
namespace {

TEST(NamePatternTest, ANameIsItselfAlone) {
  const NamePattern pattern("h.1.ln_1.weight");
  EXPECT_TRUE(pattern.Matches("h.1.ln_1.weight"));
  EXPECT_FALSE(pattern.Matches("h.11.ln_1.weight"));
  EXPECT_FALSE(pattern.Matches("h.1xln_1.weight")) << "a dot is a dot";
  EXPECT_FALSE(pattern.Matches("transformer.h.1.ln_1.weight"));
}

TEST(NamePatternTest, AStarIsAnyCharactersAndBracesAreAlternatives) {
  const NamePattern pattern("h.*.{attn,mlp}.c_proj.*");
  EXPECT_TRUE(pattern.Matches("h.0.attn.c_proj.weight"));
  EXPECT_TRUE(pattern.Matches("h.11.mlp.c_proj.bias"));
  EXPECT_FALSE(pattern.Matches("h.0.attn.c_attn.weight"));
  EXPECT_TRUE(NamePattern("{0,2}").Matches("2"));
  EXPECT_FALSE(NamePattern("{0,2}").Matches("0,2"));
}

TEST(NamePatternTest, WhatIsNoPatternStandsForItself) {
  EXPECT_TRUE(NamePattern("a{b").Matches("a{b"));
  EXPECT_TRUE(NamePattern("a}b").Matches("a}b"));
  EXPECT_TRUE(NamePattern("(a|b)+").Matches("(a|b)+"));
  EXPECT_FALSE(NamePattern("(a|b)+").Matches("a"));
  EXPECT_FALSE(NamePattern("\xff[").Matches("a"));
}

}  // namespace
}  // namespace hydrophone
