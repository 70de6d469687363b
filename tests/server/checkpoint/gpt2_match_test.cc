#include "server/checkpoint/gpt2_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Gpt2Config SmallModel(int n_layer) {
  Gpt2Config config;
  config.n_layer = n_layer;
  config.n_embd = 4;
  config.n_head = 2;
  config.n_inner = 16;
  config.n_positions = 5;
  config.vocab_size = 7;
  return config;
}

WeightFiles FilesWith(const std::vector<Gpt2Parameter>& parameters) {
  WeightFiles files;
  for (const Gpt2Parameter& parameter : parameters) {
    files.tensors[parameter.name].tensor = {"transformer." + parameter.name, "F32", parameter.shape, 0, 0};
  }
  return files;
}

TEST(CheckTensorsTest, TheFullSetFits) {
  Gpt2Weights weights;
  const std::vector<Gpt2Parameter> parameters = Gpt2Parameters(SmallModel(2), /*with_lm_head=*/true, weights);
  EXPECT_EQ(parameters.size(), 2u + 2u * 12u + 2u + 1u);
  EXPECT_TRUE(CheckTensors(parameters, FilesWith(parameters)).ok());
}

TEST(CheckTensorsTest, OneMessageNamesAllThatIsWrong) {
  Gpt2Weights weights;
  const std::vector<Gpt2Parameter> parameters = Gpt2Parameters(SmallModel(2), /*with_lm_head=*/false, weights);
  WeightFiles files = FilesWith(parameters);
  files.tensors.erase("ln_f.bias");
  files.tensors.erase("h.1.mlp.c_fc.weight");
  files.tensors["h.2.ln_1.bias"].tensor = {"transformer.h.2.ln_1.bias", "F32", {4}, 0, 0};
  files.tensors["h.0.attn.c_attn.weight"].tensor.shape = {12, 4};
  files.tensors["wpe.weight"].tensor.dtype = "I64";

  const absl::Status status = CheckTensors(parameters, files);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(HasSubstr("2 missing: h.1.mlp.c_fc.weight [4, 16], ln_f.bias [4]"),
            HasSubstr("1 extra: transformer.h.2.ln_1.bias [4]"), HasSubstr("2 misshapen: "),
            HasSubstr("transformer.h.0.attn.c_attn.weight (got F32 [12, 4], expected F32, F16, BF16 or F64 [4, 12])"),
            HasSubstr("transformer.wpe.weight (got I64 [5, 4], expected F32, F16, BF16 or F64 [5, 4])")));
}

TEST(CheckTensorsTest, TheMessageStaysShort) {
  Gpt2Weights weights;
  const std::vector<Gpt2Parameter> parameters = Gpt2Parameters(SmallModel(100), /*with_lm_head=*/false, weights);
  WeightFiles files;
  for (int i = 0; i < 1000; ++i) {
    files.tensors[absl::StrCat("x", i, std::string(1000, 'x'))].tensor.name = std::string(1000, 'x');
  }
  const std::string message(CheckTensors(parameters, files).message());
  EXPECT_THAT(message,
              AllOf(HasSubstr("1204 missing: wte.weight"), HasSubstr("and 1184 more"), HasSubstr("1000 extra")));
  EXPECT_THAT(message, Not(HasSubstr("misshapen")));
  EXPECT_LT(message.size(), 5000u);
}

}  // namespace
}  // namespace hydrophone
