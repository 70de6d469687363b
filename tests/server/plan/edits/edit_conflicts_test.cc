#include "server/plan/edits/edit_conflicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_server.h"

namespace hydrophone {
namespace {

struct Box {
  Site site = Site::kZ;
  std::vector<int> layers = {0};
  std::vector<int64_t> positions = {0, 1};
  Units units = {};
};

EditTarget TargetOf(Box box, std::string path) {
  EditTarget target;
  target.path = std::move(path);
  target.info = &HookPointOf(box.site);
  target.layers = std::move(box.layers);
  target.positions = std::move(box.positions);
  target.units = std::move(box.units);
  return target;
}

// The path of the edit that the second is found to contradict.
std::string Contradicted(const Box& first, const Box& second) {
  EditConflicts conflicts;
  EXPECT_EQ(conflicts.Add(TargetOf(first, "first")), "");
  return conflicts.Add(TargetOf(second, "second"));
}

TEST(EditConflicts, TheSameElementsContradict) { EXPECT_EQ(Contradicted({}, {}), "first"); }

TEST(EditConflicts, OneCommonElementIsEnough) {
  EXPECT_EQ(Contradicted({.layers = {0, 1}, .positions = {0, 99}, .units = {{0, 1}, {2}}},
                         {.layers = {1, 2}, .positions = {98, 99}, .units = {{1}, {1, 2}}}),
            "first");
}

TEST(EditConflicts, OutsideTheBlocksToo) {
  EXPECT_EQ(Contradicted({.site = Site::kEmbed, .layers = {-1}}, {.site = Site::kEmbed, .layers = {-1}}), "first");
}

TEST(EditConflicts, AllUnitsHoldEachUnit) { EXPECT_EQ(Contradicted({}, {.units = {{1}, {3}}}), "first"); }

TEST(EditConflicts, OtherPlacesDoNot) {
  EXPECT_EQ(Contradicted({}, {.site = Site::kQ}), "");
  EXPECT_EQ(Contradicted({}, {.layers = {1}}), "");
  EXPECT_EQ(Contradicted({}, {.positions = {2, 64}}), "");
  EXPECT_EQ(Contradicted({.units = {{0}, {}}}, {.units = {{1}, {}}}), "");
  EXPECT_EQ(Contradicted({.units = {{}, {0}}}, {.units = {{}, {1}}}), "");
}

TEST(EditConflicts, NamesTheFirstOfSeveral) {
  EditConflicts conflicts;
  conflicts.Add(TargetOf({.positions = {0}}, "first"));
  conflicts.Add(TargetOf({.positions = {1}}, "second"));
  EXPECT_EQ(conflicts.Add(TargetOf({.positions = {1, 2}}, "third")), "second");
}

}  // namespace
}  // namespace hydrophone
