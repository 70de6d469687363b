#include "server/container/memory_limit.h"

#include <gtest/gtest.h>

#include "tests/server/container/system_tree.h"

namespace hydrophone {
namespace {

constexpr uint64_t kMachineKibibytes = 8'000'000;

class MemoryLimitTest : public testing::Test {
 protected:
  MemoryLimitTest() { tree_.Memory(kMachineKibibytes); }

  // The limit, and the file that says so, of this tree.
  void ExpectLimit(uint64_t bytes, const std::string& file) const {
    const std::optional<MemoryLimit> limit = FindMemoryLimit(tree_.files());
    ASSERT_TRUE(limit.has_value());
    EXPECT_EQ(limit->bytes, bytes);
    EXPECT_EQ(limit->file, tree_.File(file));
  }

  SystemTree tree_;
};

TEST_F(MemoryLimitTest, IsTheMachinesMemoryWithoutSwapWhereNoGroupSetsOne) {
  ExpectLimit(kMachineKibibytes * 1024, "proc/meminfo");
  tree_.Write("cgroup/memory.max", "max");
  ExpectLimit(kMachineKibibytes * 1024, "proc/meminfo");
  tree_.Write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712");  // version 1's "none"
  ExpectLimit(kMachineKibibytes * 1024, "proc/meminfo");
}

TEST_F(MemoryLimitTest, IsThatOfVersion2) {
  tree_.Write("cgroup/memory.max", "1800000000");
  tree_.Write("cgroup/memory.swap.max", "5");
  ExpectLimit(1'800'000'000, "cgroup/memory.max");
}

TEST_F(MemoryLimitTest, IsThatOfVersion1) {
  tree_.Write("cgroup/memory/memory.limit_in_bytes", "1800000000");
  tree_.Write("cgroup/memory/memory.memsw.limit_in_bytes", "5");
  ExpectLimit(1'800'000'000, "cgroup/memory/memory.limit_in_bytes");
}

TEST_F(MemoryLimitTest, IsTheSmallestOfAllGroupsAroundTheProcess) {
  tree_.Write("proc/self/cgroup", "4:memory:/a/b\n0::/c/d");
  tree_.Write("cgroup/c/memory.max", "3000000000");
  tree_.Write("cgroup/c/d/memory.max", "max");
  ExpectLimit(3'000'000'000, "cgroup/c/memory.max");
  tree_.Write("cgroup/memory/a/b/memory.limit_in_bytes", "2000000000");
  ExpectLimit(2'000'000'000, "cgroup/memory/a/b/memory.limit_in_bytes");
}

TEST_F(MemoryLimitTest, PassesOverWhatMakesNoSense) {
  for (const char* text : {"", "-1", "12k", "99999999999999999999999"}) {
    tree_.Write("cgroup/memory.max", text);
    ExpectLimit(kMachineKibibytes * 1024, "proc/meminfo");
  }
}

TEST(NoMemoryLimitTest, IsFoundWhereNoFileSaysAnything) {
  const SystemTree tree;
  EXPECT_FALSE(FindMemoryLimit(tree.files()).has_value());
  tree.Write("proc/meminfo", "MemFree: 17 kB\nMemTotal: much");
  EXPECT_FALSE(FindMemoryLimit(tree.files()).has_value());
}

}  // namespace
}  // namespace hydrophone
