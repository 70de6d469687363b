#include "server/model/engine/numerics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace hydrophone {
namespace {

TEST(NumericsTest, TellsWhatBitsDependOn) {
  EXPECT_THAT(CpuNumerics(), testing::MatchesRegex("contract=2(;products=rounded)?"));
  EXPECT_THAT(CpuInstructionSet(), testing::AnyOf("AVX-512", "AVX2", "NEON", "baseline"));
}

// A directory laid out as /sys/fs/cgroup.
class CpuQuotaTest : public testing::Test {
 protected:
  CpuQuotaTest() : root_(std::filesystem::path(testing::TempDir()) / "hydrophone_cpu_quota_test") {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_ / "cpu");
  }
  ~CpuQuotaTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) const { std::ofstream(root_ / file) << text << "\n"; }
  void WriteV1(const std::string& quota, const std::string& period) const {
    Write("cpu/cpu.cfs_quota_us", quota);
    Write("cpu/cpu.cfs_period_us", period);
  }
  std::optional<double> Quota() const { return CpuQuota(root_.string()); }
  int Threads() const { return ThreadsFromCpuQuota(root_.string()); }
  static int UsableCpus() {
    cpu_set_t usable;
    CPU_ZERO(&usable);
    return sched_getaffinity(0, sizeof(usable), &usable) == 0 ? CPU_COUNT(&usable) : 1;
  }

 private:
  const std::filesystem::path root_;
};

TEST_F(CpuQuotaTest, IsTheQuotaOverThePeriodOfVersion2) {
  Write("cpu.max", "150000 100000");
  EXPECT_EQ(Quota(), 1.5);
}

TEST_F(CpuQuotaTest, IsTheQuotaOverThePeriodOfVersion1) {
  WriteV1("50000", "200000");
  EXPECT_EQ(Quota(), 0.25);
}

TEST_F(CpuQuotaTest, IsThatOfVersion2WhereBothAreThere) {
  WriteV1("50000", "200000");
  Write("cpu.max", "300000 100000");
  EXPECT_EQ(Quota(), 3.0);
}

TEST_F(CpuQuotaTest, IsNoneWhereTheGroupSetsNoLimit) {
  EXPECT_EQ(Quota(), std::nullopt);
  WriteV1("-1", "100000");
  EXPECT_EQ(Quota(), std::nullopt);
  Write("cpu.max", "max 100000");
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST_F(CpuQuotaTest, IsNoneWhereAFileMakesNoSense) {
  Write("cpu.max", "100000 0");
  EXPECT_EQ(Quota(), std::nullopt);
  Write("cpu.max", "");
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST_F(CpuQuotaTest, GivesOneThreadForEachCpuOfTheQuotaRoundedUp) {
  Write("cpu.max", "20000 100000");
  EXPECT_EQ(Threads(), 1);
  Write("cpu.max", "120000 100000");
  EXPECT_EQ(Threads(), std::min(2, UsableCpus()));
}

TEST_F(CpuQuotaTest, GivesNoMoreThreadsThanUsableCpus) {
  EXPECT_EQ(Threads(), UsableCpus());
  Write("cpu.max", "99900000 100000");
  EXPECT_EQ(Threads(), UsableCpus());
}

}  // namespace
}  // namespace hydrophone
