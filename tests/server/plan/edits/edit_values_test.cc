#include "server/plan/edits/edit_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Edits of a run of five tokens at three positions; the fake model has width 8 and two heads.
EditTarget TargetAt(Site site, Units units = {}) {
  EditTarget target;
  target.path = "edit";
  target.run.length = 5;
  target.info = &HookPointOf(site);
  target.layers = {0};
  target.positions = {0, 2, 4};
  target.units = std::move(units);
  return target;
}

// A tensor with as many elements as the shape says.
v1::Tensor TensorOfShape(const std::vector<uint32_t>& shape) {
  v1::Tensor tensor;
  uint32_t elements = 1;
  for (uint32_t size : shape) {
    tensor.add_shape(size);
    elements *= size;
  }
  for (uint32_t i = 0; i < elements; ++i) tensor.add_floats(1 + static_cast<float>(i));
  return tensor;
}

std::array<int64_t, 3> StridesOf(const std::vector<uint32_t>& shape, const EditTarget& target) {
  Violations violations;
  auto values = ReadEditValues(TensorOfShape(shape), "edit.add", target, FakeServer().model, &violations);
  EXPECT_THAT(Lines(violations), IsEmpty());
  return values.value_or(EditValues()).strides;
}

std::vector<std::string> Refusals(const std::vector<uint32_t>& shape, const EditTarget& target) {
  Violations violations;
  EXPECT_FALSE(ReadEditValues(TensorOfShape(shape), "edit.add", target, FakeServer().model, &violations).has_value());
  return Lines(violations);
}

std::vector<std::string> DirectionRefusals(const v1::Tensor& tensor, const EditTarget& target) {
  Violations violations;
  EXPECT_FALSE(ReadDirection(tensor, "edit.project_out", target, FakeServer().model, &violations).has_value());
  return Lines(violations);
}

TEST(ReadEditValues, AScalarIsTheSameEverywhere) {
  EXPECT_THAT(StridesOf({}, TargetAt(Site::kMlpOut)), ElementsAre(0, 0, 0));
  EXPECT_THAT(StridesOf({1, 1, 1}, TargetAt(Site::kZ)), ElementsAre(0, 0, 0));
}

TEST(ReadEditValues, AVectorRunsOverFeatures) {
  EXPECT_THAT(StridesOf({8}, TargetAt(Site::kMlpOut)), ElementsAre(0, 0, 1));
}

TEST(ReadEditValues, AMatrixRunsOverPositionsAndFeatures) {
  EXPECT_THAT(StridesOf({3, 8}, TargetAt(Site::kMlpOut)), ElementsAre(8, 0, 1));
}

TEST(ReadEditValues, AColumnRunsOverPositions) {
  EXPECT_THAT(StridesOf({3, 1}, TargetAt(Site::kMlpOut)), ElementsAre(1, 0, 0));
}

TEST(ReadEditValues, WithHeadsThereAreThreeDimensions) {
  EXPECT_THAT(StridesOf({3, 2, 4}, TargetAt(Site::kZ)), ElementsAre(8, 4, 1));
  EXPECT_THAT(StridesOf({2, 1}, TargetAt(Site::kZ)), ElementsAre(0, 1, 0));
}

TEST(ReadEditValues, OfPatternsTheHeadsComeFirst) {
  EXPECT_THAT(StridesOf({2, 3, 5}, TargetAt(Site::kPattern)), ElementsAre(5, 15, 1));
}

TEST(ReadEditValues, OnlySelectedUnitsCount) {
  EXPECT_THAT(StridesOf({3, 1, 2}, TargetAt(Site::kZ, {{1}, {0, 3}})), ElementsAre(2, 0, 1));
  EXPECT_THAT(StridesOf({2}, TargetAt(Site::kPattern, {{}, {0, 3}})), ElementsAre(0, 0, 1));
}

TEST(ReadEditValues, HoldsTheElements) {
  Violations violations;
  auto values =
      ReadEditValues(TensorOfShape({2}), "edit.add", TargetAt(Site::kZ, {{}, {0, 1}}), FakeServer().model, &violations);
  ASSERT_TRUE(values.has_value());
  EXPECT_THAT(*values->elements, ElementsAre(1, 2));
}

TEST(ReadEditValues, RefusesShapesThatDoNotBroadcast) {
  EXPECT_THAT(
      Refusals({7}, TargetAt(Site::kMlpOut)),
      ElementsAre("edit.add.shape: got [7], expected one that broadcasts to [3, 8], the edited [positions, features]"));
  EXPECT_THAT(Refusals({2, 8}, TargetAt(Site::kMlpOut)), ElementsAre(StartsWith("edit.add.shape: got [2, 8], ")));
  EXPECT_THAT(Refusals({1, 3, 8}, TargetAt(Site::kMlpOut)), ElementsAre(StartsWith("edit.add.shape: got [1, 3, 8], ")));
  EXPECT_THAT(
      Refusals({3, 2, 5}, TargetAt(Site::kPattern)),
      ElementsAre("edit.add.shape: got [3, 2, 5], expected one that broadcasts to [2, 3, 5], the edited [heads, "
                  "queries, keys]"));
}

TEST(ReadEditValues, RefusesWhatIsNoTensor) {
  Violations violations;
  EXPECT_FALSE(ReadEditValues(Parse<v1::Tensor>("floats: nan"), "edit.add", TargetAt(Site::kMlpOut), FakeServer().model,
                              &violations)
                   .has_value());
  EXPECT_THAT(Lines(violations), ElementsAre("edit.add.floats[0]: got nan, expected a finite number"));
}

TEST(ReadDirection, TakesAVectorOfTheLastDimension) {
  Violations violations;
  auto values = ReadDirection(TensorOfShape({4}), "edit.project_out", TargetAt(Site::kZ, {{1}, {}}), FakeServer().model,
                              &violations);
  ASSERT_TRUE(values.has_value());
  EXPECT_THAT(values->strides, ElementsAre(0, 0, 1));
  EXPECT_THAT(*values->elements, ElementsAre(1, 2, 3, 4));
}

TEST(ReadDirection, OfPatternsTheLastDimensionIsTheRuns) {
  Violations violations;
  EXPECT_TRUE(
      ReadDirection(TensorOfShape({5}), "edit.project_out", TargetAt(Site::kPattern), FakeServer().model, &violations)
          .has_value());
}

TEST(ReadDirection, RefusesAnotherShape) {
  EXPECT_THAT(DirectionRefusals(TensorOfShape({4}), TargetAt(Site::kMlpOut)),
              ElementsAre("edit.project_out.shape: got [4], expected [8], the point's last dimension"));
  EXPECT_THAT(DirectionRefusals(TensorOfShape({1, 8}), TargetAt(Site::kMlpOut)),
              ElementsAre("edit.project_out.shape: got [1, 8], expected [8], the point's last dimension"));
}

TEST(ReadDirection, RefusesZero) {
  EXPECT_THAT(DirectionRefusals(Parse<v1::Tensor>("shape: 4 floats: [0, 0, -0, 0]"), TargetAt(Site::kZ)),
              ElementsAre("edit.project_out: got a vector of zeros, expected a direction"));
}

TEST(ReadDirection, RefusesFeaturesBesideIt) {
  EXPECT_THAT(DirectionRefusals(TensorOfShape({4}), TargetAt(Site::kZ, {{}, {0}})),
              ElementsAre("edit.units.features: got features beside project_out, expected none: a direction takes the "
                          "whole last dimension"));
}

}  // namespace
}  // namespace hydrophone
