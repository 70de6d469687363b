#include "server/checkpoint/tensor_names.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hydrophone {
namespace {

std::string PrefixOf(const std::vector<std::string>& names) { return WrapperPrefix(names); }

TEST(TensorNamesTest, AWrappersPrefixIsWhatAllNamesBeginWith) {
  EXPECT_EQ(PrefixOf({"module.a", "module.b"}), "module.");
  EXPECT_EQ(PrefixOf({"module._orig_mod.a"}), "module._orig_mod.");
  EXPECT_EQ(PrefixOf({"_orig_mod.module.a", "_orig_mod.module.b"}), "_orig_mod.module.");
  EXPECT_EQ(PrefixOf({"module.a", "b"}), "");
  EXPECT_EQ(PrefixOf({}), "");
}

TEST(TensorNamesTest, ABareNameHasNeitherPrefix) {
  EXPECT_EQ(BareName("module.transformer.wte.weight", "module."), "wte.weight");
  EXPECT_EQ(BareName("lm_head.weight", ""), "lm_head.weight");
}

TEST(TensorNamesTest, BuffersAreMasksAndTheirFillValue) {
  EXPECT_TRUE(IsOldBuffer("h.11.attn.bias"));
  EXPECT_TRUE(IsOldBuffer("h.0.attn.masked_bias"));
  for (const char* name : {"h.x.attn.bias", "h..attn.bias", "h.0.attn.c_attn.bias", "h.0.mlp.bias", "attn.bias"}) {
    EXPECT_FALSE(IsOldBuffer(name)) << name;
  }
}

TEST(TensorNamesTest, OtherHeadsAreThoseOfHuggingFacesClasses) {
  for (const char* name :
       {"score.weight", "classifier.weight", "qa_outputs.bias", "multiple_choice_head.summary.weight"}) {
    EXPECT_TRUE(IsOtherHead(name)) << name;
  }
  for (const char* name : {"scores.weight", "lm_head.weight", "h.0.score.weight"}) EXPECT_FALSE(IsOtherHead(name));
}

}  // namespace
}  // namespace hydrophone
