#include "server/container/cpu_quota.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>

#include "tests/server/container/system_tree.h"

namespace hydrophone {
namespace {

class CpuQuotaTest : public testing::Test {
 protected:
  void WriteV1(const std::string& folder, const std::string& quota, const std::string& period) const {
    tree_.Write("cgroup/" + folder + "/cpu.cfs_quota_us", quota);
    tree_.Write("cgroup/" + folder + "/cpu.cfs_period_us", period);
  }
  std::optional<double> Quota() const { return CpuQuota(tree_.files()); }
  int Threads() const { return ThreadsFromCpuQuota(tree_.files()); }
  static int UsableCpus() {
    cpu_set_t usable;
    CPU_ZERO(&usable);
    return sched_getaffinity(0, sizeof(usable), &usable) == 0 ? CPU_COUNT(&usable) : 1;
  }

  SystemTree tree_;
};

TEST_F(CpuQuotaTest, IsTheQuotaOverThePeriodOfVersion2) {
  tree_.Write("cgroup/cpu.max", "150000 100000");
  EXPECT_EQ(Quota(), 1.5);
}

TEST_F(CpuQuotaTest, IsTheQuotaOverThePeriodOfVersion1) {
  WriteV1("cpu", "50000", "200000");
  EXPECT_EQ(Quota(), 0.25);
}

TEST_F(CpuQuotaTest, IsTheSmallestOfAllGroupsAroundTheProcess) {
  tree_.Write("proc/self/cgroup", "2:cpu,cpuacct:/a/b\n0::/c/d");
  tree_.Write("cgroup/c/cpu.max", "300000 100000");
  tree_.Write("cgroup/c/d/cpu.max", "max 100000");
  EXPECT_EQ(Quota(), 3.0);
  WriteV1("cpu/a", "200000", "100000");
  WriteV1("cpu/a/b", "-1", "100000");
  EXPECT_EQ(Quota(), 2.0);
  tree_.Write("cgroup/c/d/cpu.max", "50000 100000");
  EXPECT_EQ(Quota(), 0.5);
}

TEST_F(CpuQuotaTest, IsNotThatOfAnotherProcess) {
  tree_.Write("proc/self/cgroup", "0::/mine");
  tree_.Write("cgroup/another/cpu.max", "100000 100000");
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST_F(CpuQuotaTest, IsNoneWhereTheGroupSetsNoLimit) {
  EXPECT_EQ(Quota(), std::nullopt);
  WriteV1("cpu", "-1", "100000");
  EXPECT_EQ(Quota(), std::nullopt);
  tree_.Write("cgroup/cpu.max", "max 100000");
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST_F(CpuQuotaTest, IsNoneWhereAFileMakesNoSense) {
  for (const char* text : {"100000 0", "100000 -1", "", "-5 100000", "many 100000", "nan 100000", "100000"}) {
    tree_.Write("cgroup/cpu.max", text);
    EXPECT_EQ(Quota(), std::nullopt) << text;
  }
}

TEST_F(CpuQuotaTest, GivesOneThreadForEachCpuOfTheQuotaRoundedUp) {
  tree_.Write("cgroup/cpu.max", "20000 100000");
  EXPECT_EQ(Threads(), 1);
  tree_.Write("cgroup/cpu.max", "120000 100000");
  EXPECT_EQ(Threads(), std::min(2, UsableCpus()));
}

TEST_F(CpuQuotaTest, GivesNoMoreThreadsThanUsableCpus) {
  EXPECT_EQ(Threads(), UsableCpus());
  for (const char* quota : {"99900000 100000", "1e300 1"}) {
    tree_.Write("cgroup/cpu.max", quota);
    EXPECT_EQ(Threads(), UsableCpus()) << quota;
  }
}

TEST_F(CpuQuotaTest, GivesNoMoreThreadsThanTheAffinityAllows) {
  cpu_set_t before, one;
  CPU_ZERO(&before);
  CPU_ZERO(&one);
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &before)) ++cpu;
  CPU_SET(cpu, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  tree_.Write("cgroup/cpu.max", "400000 100000");
  EXPECT_EQ(Threads(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

}  // namespace
}  // namespace hydrophone
