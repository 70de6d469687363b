#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "server/checkpoint/gpt2_checkpoint.h"
#include "tests/fakes/checkpoint_files.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Puts another file in the place of the loaded one, whose mapping stays what it was.
void ReplaceWeights(const TempDirectory& directory, const std::vector<FileTensor>& tensors) {
  directory.Write("new", SafetensorsFile(tensors));
  std::filesystem::rename(directory.File("new"), directory.File("model.safetensors"));
}

class AuditTest : public ::testing::TestWithParam<const char*> {
 protected:
  void Load(bool with_lm_head = false) {
    WriteSmallCheckpoint(directory_, SmallTensors(GetParam(), "transformer.", with_lm_head));
    absl::StatusOr<Gpt2Checkpoint> checkpoint = LoadGpt2Checkpoint(directory_.path());
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    checkpoint_ = *checkpoint;
  }

  TempDirectory directory_;
  Gpt2Checkpoint checkpoint_;
};

TEST_P(AuditTest, UntouchedFilesHaveTheSameDigestAndNoDifferences) {
  Load();
  const absl::StatusOr<CheckpointAudit> audit = AuditGpt2Checkpoint(checkpoint_);
  ASSERT_TRUE(audit.ok()) << audit.status();
  EXPECT_EQ(audit->file_sha256, checkpoint_.weights_sha256);
  EXPECT_THAT(audit->differing_parameters, IsEmpty());
}

TEST_P(AuditTest, AnUntiedHeadIsAuditedToo) {
  Load(/*with_lm_head=*/true);
  EXPECT_THAT(AuditGpt2Checkpoint(checkpoint_)->differing_parameters, IsEmpty());
  std::vector<FileTensor> tensors = SmallTensors(GetParam(), "transformer.", /*with_lm_head=*/true);
  tensors.back().bytes[0] ^= 1;
  ReplaceWeights(directory_, tensors);
  EXPECT_THAT(AuditGpt2Checkpoint(checkpoint_)->differing_parameters, ElementsAre("lm_head.weight"));
}

TEST_P(AuditTest, OneBitIsFound) {
  Load();
  std::vector<FileTensor> tensors = SmallTensors(GetParam());
  tensors[2].bytes.back() ^= 0x40;
  ReplaceWeights(directory_, tensors);
  const absl::StatusOr<CheckpointAudit> audit = AuditGpt2Checkpoint(checkpoint_);
  ASSERT_TRUE(audit.ok()) << audit.status();
  EXPECT_NE(audit->file_sha256, checkpoint_.weights_sha256);
  EXPECT_THAT(audit->differing_parameters, ElementsAre("h.0.ln_1.weight"));
}

TEST_P(AuditTest, MissingAndMisshapenParametersDiffer) {
  Load();
  std::vector<FileTensor> tensors = SmallTensors(GetParam());
  tensors[1] = SmallTensor("wpe.weight", GetParam(), {6, 4});
  tensors.pop_back();
  ReplaceWeights(directory_, tensors);
  const absl::StatusOr<CheckpointAudit> audit = AuditGpt2Checkpoint(checkpoint_);
  ASSERT_TRUE(audit.ok()) << audit.status();
  EXPECT_THAT(audit->differing_parameters, ElementsAre("wpe.weight", "ln_f.bias"));
}

TEST_P(AuditTest, FilesThatAreGoneOrDamagedAreErrors) {
  Load();
  directory_.Write("new", "damaged");
  std::filesystem::rename(directory_.File("new"), directory_.File("model.safetensors"));
  EXPECT_EQ(AuditGpt2Checkpoint(checkpoint_).status().code(), absl::StatusCode::kDataLoss);
  ASSERT_EQ(std::remove(directory_.File("model.safetensors").c_str()), 0);
  EXPECT_EQ(AuditGpt2Checkpoint(checkpoint_).status().code(), absl::StatusCode::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(StoredAs, AuditTest, ::testing::Values("F32", "F16", "BF16"));

}  // namespace
}  // namespace hydrophone
