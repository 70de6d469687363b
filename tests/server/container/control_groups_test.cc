#include "server/container/control_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/container/system_tree.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

class ControlGroupsTest : public testing::Test {
 protected:
  std::vector<std::string> Groups(const std::string& memberships, const std::string& controller = "memory") const {
    tree_.Write("proc/self/cgroup", memberships);
    return ControlGroups(tree_.files(), controller);
  }
  std::string At(const std::string& path) const { return tree_.File("cgroup" + path); }

  SystemTree tree_;
};

TEST_F(ControlGroupsTest, AreThoseOfVersion2OnTheWayToTheProcess) {
  EXPECT_THAT(Groups("0::/a.slice/b.scope"),
              ElementsAre(At(""), At("/a.slice"), At("/a.slice/b.scope"), At("/memory")));
}

TEST_F(ControlGroupsTest, AreThoseOfVersion1OfTheController) {
  EXPECT_THAT(Groups("9:name=systemd:/x\n4:memory:/docker/0\n2:cpu,cpuacct:/y:z\n0::/"),
              ElementsAre(At(""), At("/memory"), At("/memory/docker"), At("/memory/docker/0")));
  EXPECT_THAT(Groups("4:memory:/docker\n2:cpu,cpuacct:/y:z", "cpu"), ElementsAre(At(""), At("/cpu"), At("/cpu/y:z")));
}

TEST_F(ControlGroupsTest, DoNotLeaveWhatTheProcessMaySee) {
  EXPECT_THAT(Groups("0::/../../etc"), ElementsAre(At(""), At("/memory")));
}

TEST_F(ControlGroupsTest, AreTheOutermostAloneWhereProcSaysNothing) {
  EXPECT_THAT(Groups(""), ElementsAre(At(""), At("/memory")));
  EXPECT_THAT(Groups("nonsense\n::"), ElementsAre(At(""), At("/memory")));
  EXPECT_EQ(ControlGroups({"/no/such/proc", "/no/such/cgroup"}, "cpu").size(), 2u);
}

}  // namespace
}  // namespace hydrophone
