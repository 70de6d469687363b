#include "server/checkpoint/gpt2_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/sha256.h"
#include "server/checkpoint/gpt2_parameters.h"
#include "tests/fakes/checkpoint_files.h"

namespace hydrophone {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kSmallParameters =
    7 * 4 + 5 * 4 + 2 * (4 * 4 + 4 * 12 + 12 + 4 * 4 + 4 + 4 * 16 + 16 + 16 * 4 + 4) + 8;

std::string ConfigWith(absl::string_view fields) {
  std::string config = SmallConfig();
  config.pop_back();
  return absl::StrCat(config, ", ", fields, "}");
}

// Names of the parameters whose values are not SmallValue's.
std::vector<std::string> WrongParameters(const Gpt2Checkpoint& checkpoint) {
  Gpt2Weights weights = checkpoint.weights;
  std::vector<std::string> wrong;
  for (const Gpt2Parameter& parameter :
       Gpt2Parameters(checkpoint.config, !checkpoint.config.tie_word_embeddings, weights)) {
    bool same = parameter.values->size() == static_cast<size_t>(parameter.elements());
    for (size_t i = 0; same && i < parameter.values->size(); ++i) {
      same = (*parameter.values)[i] == SmallValue(parameter.name, i);
    }
    if (!same) wrong.push_back(parameter.name);
  }
  return wrong;
}

Gpt2Checkpoint Load(const TempDirectory& directory, const LoadOptions& options = {}) {
  absl::StatusOr<Gpt2Checkpoint> checkpoint = LoadGpt2Checkpoint(directory.path(), options);
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  return std::move(checkpoint).value_or(Gpt2Checkpoint());
}

TEST(Gpt2CheckpointTest, GivesEveryParameterAndItsPapers) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory);
  const Gpt2Checkpoint checkpoint = Load(directory);
  EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty());
  EXPECT_EQ(checkpoint.config.n_inner, 16);
  EXPECT_EQ(checkpoint.activation_function, "gelu_new");
  EXPECT_EQ(checkpoint.parameters, kSmallParameters);
  EXPECT_EQ(checkpoint.weights_dtype, "float32");
  EXPECT_EQ(checkpoint.weights_sha256, Sha256Hex(directory.Read("model.safetensors")));
  EXPECT_EQ(checkpoint.directory, directory.path());
  EXPECT_EQ(checkpoint.weights.lm_head.data(), checkpoint.weights.wte.data());
}

TEST(Gpt2CheckpointTest, NamesComeWithOrWithoutPrefix) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory, SmallTensors("F32", ""));
  EXPECT_THAT(WrongParameters(Load(directory)), ::testing::IsEmpty());
}

TEST(Gpt2CheckpointTest, SixteenBitWeightsBecomeTheSameNumbers) {
  for (const auto& [stored, name] : {std::pair("F16", "float16"), {"BF16", "bfloat16"}, {"F64", "float64"}}) {
    TempDirectory directory;
    WriteSmallCheckpoint(directory, SmallTensors(stored));
    const Gpt2Checkpoint checkpoint = Load(directory);
    EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty()) << name;
    EXPECT_EQ(checkpoint.weights_dtype, name);
  }
}

TEST(Gpt2CheckpointTest, TypesMayBeMixed) {
  TempDirectory directory;
  std::vector<FileTensor> tensors = SmallTensors("BF16");
  tensors[3] = SmallTensors("F32")[3];
  tensors[5] = SmallTensors("F16")[5];
  WriteSmallCheckpoint(directory, tensors);
  const Gpt2Checkpoint checkpoint = Load(directory);
  EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty());
  EXPECT_EQ(checkpoint.weights_dtype, "float32+float16+bfloat16");
}

TEST(Gpt2CheckpointTest, Float32WeightsAreUsedWhereTheFileHasThem) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory);
  const Gpt2Checkpoint checkpoint = Load(directory);
  // In the file, wpe follows wte without a gap.
  EXPECT_EQ(checkpoint.weights.wpe.data(), checkpoint.weights.wte.data() + checkpoint.weights.wte.size());
}

TEST(Gpt2CheckpointTest, UnalignedWeightsAreAligned) {
  TempDirectory directory;
  directory.Write("config.json", SmallConfig());
  directory.Write("model.safetensors", SafetensorsFile(SmallTensors(), /*pad=*/false));
  const Gpt2Checkpoint checkpoint = Load(directory);
  EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(checkpoint.weights.wte.data()) % alignof(float), 0u);
}

TEST(Gpt2CheckpointTest, CopiedWeightsSurviveTheirFilesEnd) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory);
  const Gpt2Checkpoint checkpoint = Load(directory, {.copy = true});
  directory.Write("model.safetensors", "");
  EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty());
}

TEST(Gpt2CheckpointTest, LendsTheTimeOfTheDigestToItsCaller) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory);
  int calls = 0;
  size_t blocks = 0;
  LoadOptions options;
  options.meanwhile = [&](const Gpt2Checkpoint& loaded) {
    ++calls;
    blocks = loaded.weights.h.size();
  };
  const Gpt2Checkpoint checkpoint = Load(directory, options);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(blocks, checkpoint.weights.h.size());
  EXPECT_EQ(checkpoint.weights_sha256, Load(directory).weights_sha256);
}

TEST(Gpt2CheckpointTest, ArraysThatAreGivenBackKeepTheirValues) {
  for (const char* dtype : {"F32", "F16"}) {
    for (bool copy : {false, true}) {
      TempDirectory directory;
      WriteSmallCheckpoint(directory, SmallTensors(dtype));
      const Gpt2Checkpoint checkpoint = Load(directory, {.copy = copy});
      for (const BlockWeights& block : checkpoint.weights.h) checkpoint.weights.give_back(block.mlp_c_fc.weight);
      checkpoint.weights.give_back(checkpoint.weights.wte);
      EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty()) << dtype << " copied: " << copy;
    }
  }
}

TEST(Gpt2CheckpointTest, WeightsOutliveTheCheckpoint) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory, SmallTensors("F16"));
  auto checkpoint = std::make_unique<Gpt2Checkpoint>(Load(directory));
  Gpt2Checkpoint copy = *checkpoint;
  checkpoint.reset();
  EXPECT_THAT(WrongParameters(copy), ::testing::IsEmpty());
}

TEST(Gpt2CheckpointTest, ReadsShards) {
  TempDirectory directory;
  directory.Write("config.json", SmallConfig());
  const std::vector<FileTensor> tensors = SmallTensors();
  std::vector<FileTensor> shards[3];
  std::string map;
  for (size_t i = 0; i < tensors.size(); ++i) {
    shards[i % 3].push_back(tensors[i]);
    absl::StrAppend(&map, i == 0 ? "" : ",", "\"", tensors[i].name, "\":\"model-", i % 3, ".safetensors\"");
  }
  std::string all;
  for (int i = 0; i < 3; ++i) {
    directory.Write(absl::StrCat("model-", i, ".safetensors"), SafetensorsFile(shards[i]));
    all += SafetensorsFile(shards[i]);
  }
  directory.Write("model.safetensors.index.json", absl::StrCat("{\"weight_map\":{", map, "}}"));
  const Gpt2Checkpoint checkpoint = Load(directory);
  EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty());
  EXPECT_EQ(checkpoint.weights_sha256, Sha256Hex(all));
}

TEST(Gpt2CheckpointTest, OldBuffersAreSkipped) {
  TempDirectory directory;
  std::vector<FileTensor> tensors = SmallTensors();
  tensors.push_back({"transformer.h.0.attn.bias", "BOOL", {1, 1, 5, 5}, std::string(25, '\1')});
  tensors.push_back(SmallTensor("h.1.attn.masked_bias", "F32", {}));
  WriteSmallCheckpoint(directory, tensors);
  EXPECT_EQ(Load(directory).parameters, kSmallParameters);
}

TEST(Gpt2CheckpointTest, AnUntiedHeadIsItsOwn) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory, SmallTensors("F32", "transformer.", /*with_lm_head=*/true),
                       ConfigWith(R"("tie_word_embeddings": false)"));
  const Gpt2Checkpoint checkpoint = Load(directory);
  EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty());
  EXPECT_EQ(checkpoint.parameters, kSmallParameters + 28);
}

TEST(Gpt2CheckpointTest, AnUntiedHeadMustBeThere) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory, SmallTensors(), ConfigWith(R"("tie_word_embeddings": false)"));
  EXPECT_THAT(std::string(LoadGpt2Checkpoint(directory.path()).status().message()),
              HasSubstr("1 missing: lm_head.weight [7, 4]"));
}

TEST(Gpt2CheckpointTest, ATiedHeadMayBeInTheFile) {
  for (const char* dtype : {"F32", "F16"}) {
    TempDirectory directory;
    std::vector<FileTensor> tensors = SmallTensors(dtype);
    tensors.push_back({"lm_head.weight", dtype, {7, 4}, tensors[0].bytes});
    WriteSmallCheckpoint(directory, tensors);
    const Gpt2Checkpoint checkpoint = Load(directory);
    EXPECT_TRUE(checkpoint.config.tie_word_embeddings);
    EXPECT_EQ(checkpoint.weights.lm_head.data(), checkpoint.weights.wte.data());
    EXPECT_EQ(checkpoint.parameters, kSmallParameters);
  }
}

TEST(Gpt2CheckpointTest, ATiedHeadWithOtherValuesCountsAsUntied) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory, SmallTensors("F32", "transformer.", /*with_lm_head=*/true));
  const Gpt2Checkpoint checkpoint = Load(directory);
  EXPECT_FALSE(checkpoint.config.tie_word_embeddings);
  EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty());
  EXPECT_EQ(checkpoint.parameters, kSmallParameters + 28);
}

TEST(Gpt2CheckpointTest, TheNameIsTheDirectorysLastComponent) {
  TempDirectory parent;
  const std::string path = parent.File("my-gpt2");
  std::filesystem::create_directory(path);
  std::filesystem::create_directory(path + "/inside");
  parent.Write("my-gpt2/config.json", SmallConfig());
  parent.Write("my-gpt2/model.safetensors", SafetensorsFile(SmallTensors()));
  for (const char* ending : {"", "/", "//", "/.", "/inside/.."}) {
    const absl::StatusOr<Gpt2Checkpoint> checkpoint = LoadGpt2Checkpoint(path + ending);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    EXPECT_EQ(checkpoint->name, "my-gpt2") << ending;
  }
}

TEST(Gpt2CheckpointTest, ALanguageModelsHeadAloneIsTheTiedEmbedding) {
  TempDirectory directory;
  std::vector<FileTensor> tensors = SmallTensors();
  ASSERT_EQ(tensors[0].name, "transformer.wte.weight");
  tensors[0].name = "lm_head.weight";
  WriteSmallCheckpoint(directory, tensors);
  const Gpt2Checkpoint checkpoint = Load(directory);
  EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty());
  EXPECT_TRUE(checkpoint.config.tie_word_embeddings);
  EXPECT_EQ(checkpoint.parameters, kSmallParameters);
  EXPECT_THAT(AuditGpt2Checkpoint(checkpoint)->differing_parameters, ::testing::IsEmpty());
}

TEST(Gpt2CheckpointTest, GenerationConfigsEndGoesBeforeConfigs) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory, SmallTensors(), ConfigWith(R"("eos_token_id": 3)"));
  EXPECT_THAT(DescribeModel(Load(directory)).eos_token_ids, ::testing::ElementsAre(3));
  directory.Write("generation_config.json", R"({"eos_token_id": [4, 5]})");
  EXPECT_THAT(DescribeModel(Load(directory)).eos_token_ids, ::testing::ElementsAre(4, 5));
  directory.Write("generation_config.json", "[]");
  EXPECT_THAT(std::string(LoadGpt2Checkpoint(directory.path()).status().message()),
              HasSubstr("generation_config.json"));
}

TEST(Gpt2CheckpointTest, AWrappersPrefixIsLeftOffAndSaid) {
  for (const std::string prefix : {"_orig_mod.", "module.", "module._orig_mod."}) {
    TempDirectory directory;
    WriteSmallCheckpoint(directory, SmallTensors("F32", prefix + "transformer."));
    const Gpt2Checkpoint checkpoint = Load(directory);
    EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty()) << prefix;
    EXPECT_THAT(checkpoint.loading_notes,
                ::testing::ElementsAre(absl::StrCat("left ", prefix, " off the names of all tensors")));
  }
}

TEST(Gpt2CheckpointTest, HeadsOfOtherClassesAreLeftOutAndNamed) {
  TempDirectory directory;
  std::vector<FileTensor> tensors = SmallTensors();
  for (const char* name :
       {"score.weight", "classifier.bias", "qa_outputs.weight", "multiple_choice_head.summary.bias"}) {
    tensors.push_back(SmallTensor(name, "F32", {2}));
  }
  WriteSmallCheckpoint(directory, tensors);
  const Gpt2Checkpoint checkpoint = Load(directory);
  EXPECT_THAT(WrongParameters(checkpoint), ::testing::IsEmpty());
  EXPECT_THAT(checkpoint.loading_notes,
              ::testing::ElementsAre("4 of another head left out: score.weight, classifier.bias, qa_outputs.weight, "
                                     "multiple_choice_head.summary.bias"));
}

TEST(Gpt2CheckpointTest, OneErrorNamesWhatIsMissingExtraAndMisshapen) {
  TempDirectory directory;
  std::vector<FileTensor> tensors = SmallTensors();
  tensors.erase(tensors.begin());
  tensors[0] = SmallTensor("transformer.wpe.weight", "F32", {6, 4});
  tensors.push_back(SmallTensor("scores.weight", "F32", {2}));
  WriteSmallCheckpoint(directory, tensors);
  const absl::Status status = LoadGpt2Checkpoint(directory.path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(HasSubstr("1 missing: wte.weight [7, 4]"), HasSubstr("1 extra: scores.weight [2]"),
            HasSubstr("1 misshapen: transformer.wpe.weight (got F32 [6, 4], expected F32, F16, BF16 or F64 [5, 4])")));
}

TEST(Gpt2CheckpointTest, AConfigsProblemsComeWithItsPath) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory, SmallTensors(), ConfigWith(R"("add_cross_attention": true)"));
  const absl::Status status = LoadGpt2Checkpoint(directory.path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("config.json: add_cross_attention"));
}

TEST(Gpt2CheckpointTest, WhatIsNotThereIsNotFound) {
  TempDirectory directory;
  EXPECT_EQ(LoadGpt2Checkpoint(directory.path()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(LoadGpt2Checkpoint(directory.File("none")).status().code(), absl::StatusCode::kNotFound);
  directory.Write("config.json", SmallConfig());
  EXPECT_EQ(LoadGpt2Checkpoint(directory.path()).status().code(), absl::StatusCode::kNotFound);
}

TEST(Gpt2CheckpointTest, AFileCutShortIsDataLoss) {
  TempDirectory directory;
  WriteSmallCheckpoint(directory);
  const std::string file = directory.Read("model.safetensors");
  directory.Write("model.safetensors", absl::string_view(file).substr(0, file.size() - 1));
  EXPECT_EQ(LoadGpt2Checkpoint(directory.path()).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace hydrophone
