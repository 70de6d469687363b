#include "server/checkpoint/gpt2_state_dict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/strip.h"
#include "tests/fakes/checkpoint_files.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr size_t kOfTheSmallModel = 2 + 2 * 12 + 2 + 1;

class StateDictTest : public ::testing::Test {
 protected:
  std::vector<Parameter> Load(const std::vector<FileTensor>& tensors) {
    WriteSmallCheckpoint(directory_, tensors);
    absl::StatusOr<Gpt2Checkpoint> checkpoint = LoadGpt2Checkpoint(directory_.path());
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
    if (!checkpoint.ok()) return {};
    if (gives_back_) checkpoint->weights.give_back(checkpoint->weights.h[0].attn_c_attn.weight);
    return StateDictOf(*checkpoint);
  }

  TempDirectory directory_;
  bool gives_back_ = false;
};

TEST_F(StateDictTest, HasHuggingFacesNamesInForwardOrder) {
  const std::vector<Parameter> parameters = Load(SmallTensors());
  ASSERT_THAT(parameters, SizeIs(kOfTheSmallModel));
  EXPECT_EQ(parameters[0].name, "transformer.wte.weight");
  EXPECT_EQ(parameters[0].layer, -1);
  EXPECT_EQ(parameters[1].name, "transformer.wpe.weight");
  EXPECT_EQ(parameters[4].name, "transformer.h.0.attn.c_attn.weight");
  EXPECT_EQ(parameters[4].layer, 0);
  EXPECT_THAT(parameters[4].values.shape, ElementsAre(4, 12));
  EXPECT_EQ(parameters[14].layer, 1);
  EXPECT_EQ(parameters[kOfTheSmallModel - 2].name, "transformer.ln_f.bias");
  EXPECT_EQ(parameters.back().name, "lm_head.weight");
}

TEST_F(StateDictTest, HoldsTheFilesValuesAfterTheCheckpointIsGone) {
  for (const char* stored : {"F32", "F16", "BF16"}) {
    for (const Parameter& parameter : Load(SmallTensors(stored))) {
      if (!parameter.tied_to.empty()) continue;
      const absl::Span<const float> values = parameter.values.floats();
      for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(values[i], SmallValue(absl::StripPrefix(parameter.name, "transformer."), i)) << parameter.name;
      }
    }
  }
}

TEST_F(StateDictTest, PagesThatWereGivenBackComeFromTheFileAgain) {
  gives_back_ = true;
  const Parameter parameter = Load(SmallTensors())[4];
  EXPECT_EQ(parameter.values.floats()[5], SmallValue("h.0.attn.c_attn.weight", 5));
}

TEST_F(StateDictTest, ATiedHeadIsTheEmbedding) {
  const std::vector<Parameter> parameters = Load(SmallTensors());
  EXPECT_EQ(parameters.back().tied_to, "transformer.wte.weight");
  EXPECT_EQ(parameters.back().values.data, parameters.front().values.data);
  EXPECT_EQ(parameters.front().tied_to, "");
}

TEST_F(StateDictTest, AHeadWithValuesOfItsOwnIsNotTied) {
  const std::vector<Parameter> parameters = Load(SmallTensors("F32", "transformer.", /*with_lm_head=*/true));
  ASSERT_THAT(parameters, SizeIs(kOfTheSmallModel));
  EXPECT_EQ(parameters.back().tied_to, "");
  EXPECT_EQ(parameters.back().values.floats()[3], SmallValue("lm_head.weight", 3));
}

TEST_F(StateDictTest, NamesWithoutThePrefixGetIt) {
  EXPECT_EQ(Load(SmallTensors("F32", ""))[2].name, "transformer.h.0.ln_1.weight");
}

}  // namespace
}  // namespace hydrophone
