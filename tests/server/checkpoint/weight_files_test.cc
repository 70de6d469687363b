#include "server/checkpoint/weight_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/base/sha256.h"
#include "tests/fakes/checkpoint_files.h"

namespace hydrophone {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string FileOf(const std::vector<std::string>& names) {
  std::vector<FileTensor> tensors;
  for (const std::string& name : names) tensors.push_back(SmallTensor(name, "F32", {2}));
  return SafetensorsFile(tensors);
}

std::string ErrorOf(const TempDirectory& directory, absl::StatusCode code) {
  const absl::Status status = OpenWeightFiles(directory.path()).status();
  EXPECT_EQ(status.code(), code) << status;
  return std::string(status.message());
}

TEST(WeightFilesTest, NamesLoseTheirPrefix) {
  TempDirectory directory;
  directory.Write("model.safetensors", FileOf({"transformer.wte.weight", "ln_f.bias", "lm_head.weight"}));
  const absl::StatusOr<WeightFiles> files = OpenWeightFiles(directory.path());
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->files.size(), 1u);
  EXPECT_EQ(files->tensors.size(), 3u);
  EXPECT_EQ(files->tensors.at("wte.weight").tensor.name, "transformer.wte.weight");
  EXPECT_TRUE(files->tensors.contains("ln_f.bias"));
}

TEST(WeightFilesTest, SayWhatTheyTakeInMemory) {
  TempDirectory directory;
  directory.Write("model.safetensors",
                  SafetensorsFile({SmallTensor("wte.weight", "F32", {7, 4}), SmallTensor("ln_f.bias", "F16", {4}),
                                   SmallTensor("ln_f.weight", "F64", {4})}));
  const absl::StatusOr<WeightFiles> files = OpenWeightFiles(directory.path());
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(BytesInMemory(*files, false), 7u * 4 * 4 + 2 * 4 * 4 + 2 * 4 * 4);
  EXPECT_EQ(BytesInMemory(*files, true), 2u * 7 * 4 * 4 + 2 * 4 * 4 + 2 * 4 * 4);
}

TEST(WeightFilesTest, SkipsOldBuffersAndNothingThatLooksLikeThem) {
  TempDirectory directory;
  directory.Write("model.safetensors", FileOf({"transformer.h.0.attn.bias", "h.11.attn.masked_bias", "h.x.attn.bias",
                                               "h.0.attn.c_attn.bias", "h..attn.bias", "g.0.attn.bias"}));
  const absl::StatusOr<WeightFiles> files = OpenWeightFiles(directory.path());
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->tensors.size(), 4u);
  EXPECT_FALSE(files->tensors.contains("h.0.attn.bias"));
  EXPECT_FALSE(files->tensors.contains("h.11.attn.masked_bias"));
  EXPECT_TRUE(files->tensors.contains("h.x.attn.bias"));
}

TEST(WeightFilesTest, ReadsShardsInTheOrderOfTheirNames) {
  TempDirectory directory;
  const std::string first = FileOf({"a", "b"});
  const std::string second = FileOf({"c"});
  directory.Write("m-1.safetensors", first);
  directory.Write("m-2.safetensors", second);
  directory.Write("model.safetensors.index.json",
                  R"({"weight_map": {"c": "m-2.safetensors", "a": "m-1.safetensors", "b": "m-1.safetensors"}})");
  const absl::StatusOr<WeightFiles> files = OpenWeightFiles(directory.path());
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_EQ(files->files.size(), 2u);
  EXPECT_EQ(files->files[0].path(), directory.File("m-1.safetensors"));
  EXPECT_EQ(files->tensors.at("b").file, 0u);
  EXPECT_EQ(files->tensors.at("c").file, 1u);
  EXPECT_EQ(DigestFiles(*files).value(), Sha256Hex(first + second));
}

TEST(WeightFilesTest, ASingleFileComesBeforeAnIndex) {
  TempDirectory directory;
  directory.Write("model.safetensors", FileOf({"a"}));
  directory.Write("model.safetensors.index.json", "nonsense");
  EXPECT_TRUE(OpenWeightFiles(directory.path()).ok());
}

TEST(WeightFilesTest, TheIndexMustTellTheTruth) {
  TempDirectory directory;
  directory.Write("x.safetensors", FileOf({"a", "b", "d"}));
  directory.Write("y.safetensors", FileOf({"c"}));
  directory.Write(
      "model.safetensors.index.json",
      R"({"weight_map": {"a": "x.safetensors", "b": "y.safetensors", "c": "y.safetensors", "e": "y.safetensors"}})");
  EXPECT_THAT(ErrorOf(directory, absl::StatusCode::kInvalidArgument),
              AllOf(HasSubstr("2 not where the index says: b in x.safetensors, d in x.safetensors"),
                    HasSubstr("1 in the index but not in its file: e in y.safetensors")));
}

TEST(WeightFilesTest, AMissingShardIsNamed) {
  TempDirectory directory;
  directory.Write("model.safetensors.index.json", R"({"weight_map": {"a": "x.safetensors"}})");
  EXPECT_THAT(ErrorOf(directory, absl::StatusCode::kNotFound), HasSubstr("x.safetensors"));
}

TEST(WeightFilesTest, AnIndexCannotLeadOutOfTheDirectory) {
  TempDirectory directory;
  directory.Write("model.safetensors.index.json", R"({"weight_map": {"a": "../x.safetensors"}})");
  EXPECT_THAT(ErrorOf(directory, absl::StatusCode::kInvalidArgument),
              HasSubstr("model.safetensors.index.json: puts \"a\" into"));
}

TEST(WeightFilesTest, ATensorMustNotComeTwice) {
  TempDirectory directory;
  directory.Write("model.safetensors", FileOf({"transformer.wte.weight", "wte.weight"}));
  EXPECT_THAT(ErrorOf(directory, absl::StatusCode::kInvalidArgument), HasSubstr("1 there twice: wte.weight"));
}

TEST(WeightFilesTest, PickleFilesAreRefusedWithTheWayOut) {
  for (const char* name :
       {"pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "model.pt", "model.pth", "last.ckpt"}) {
    TempDirectory directory;
    directory.Write(name, "");
    EXPECT_THAT(ErrorOf(directory, absl::StatusCode::kInvalidArgument),
                AllOf(HasSubstr(name), HasSubstr("save_pretrained")))
        << name;
  }
}

TEST(WeightFilesTest, PickleFilesBesideSafetensorsDoNotMatter) {
  TempDirectory directory;
  directory.Write("model.safetensors", FileOf({"a"}));
  directory.Write("pytorch_model.bin", "");
  EXPECT_TRUE(OpenWeightFiles(directory.path()).ok());
}

TEST(WeightFilesTest, AnAdapterIsNotIgnored) {
  TempDirectory directory;
  directory.Write("model.safetensors", FileOf({"a"}));
  directory.Write("adapter_config.json", "{}");
  EXPECT_THAT(ErrorOf(directory, absl::StatusCode::kInvalidArgument), HasSubstr("adapter_config.json"));
}

TEST(WeightFilesTest, NoWeightsAndNoDirectoryAreNotFound) {
  TempDirectory directory;
  EXPECT_THAT(ErrorOf(directory, absl::StatusCode::kNotFound), HasSubstr("has neither model.safetensors nor"));
  EXPECT_EQ(OpenWeightFiles(directory.File("none")).status().code(), absl::StatusCode::kNotFound);
}

TEST(WeightFilesTest, DamagedFilesAreNamed) {
  TempDirectory directory;
  const std::string file = FileOf({"a"});
  for (size_t size = 0; size < file.size(); ++size) {
    directory.Write("model.safetensors", absl::string_view(file).substr(0, size));
    EXPECT_THAT(ErrorOf(directory, absl::StatusCode::kDataLoss), HasSubstr("model.safetensors: ")) << size;
  }
}

TEST(WeightFilesTest, TheDigestCoversFilesLongerThanAPiece) {
  TempDirectory directory;
  FileTensor large{"a", "U8", {3 << 20}, std::string(3 << 20, 'x')};
  const std::string file = SafetensorsFile({large});
  directory.Write("model.safetensors", file);
  const absl::StatusOr<WeightFiles> files = OpenWeightFiles(directory.path());
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(DigestFiles(*files).value(), Sha256Hex(file));
}

TEST(WeightFilesTest, AGitLfsPointerIsCalledThat) {
  TempDirectory directory;
  directory.Write("model.safetensors", "version https://git-lfs.example/spec/v1\noid sha256:1234\nsize 497774208\n");
  EXPECT_THAT(std::string(OpenWeightFiles(directory.path()).status().message()),
              ::testing::HasSubstr("model.safetensors: is a Git LFS pointer, not the file itself; git lfs pull"));
}

}  // namespace
}  // namespace hydrophone
