#include "server/verify/mask.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone {

void PrintTo(const HiddenCount& count, std::ostream* out) { *out << count.index << ":" << count.hidden; }

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Floats = std::vector<float>;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

MaskRule MaxAbs(double value) { return {MaskRule::Kind::kMaxAbs, value}; }
MaskRule Quantile(double value) { return {MaskRule::Kind::kQuantile, value}; }

std::vector<uint8_t> MaskOf(const std::vector<Floats>& arrays, const MaskRule& rule) {
  std::vector<absl::Span<const float>> spans(arrays.begin(), arrays.end());
  return JointMask(spans, rule);
}

TEST(QuantileTest, EqualsNumPys) {
  const Floats values = {-3, 0.5, 2, -8, 1.25, 4, -0.75};
  // np.quantile(np.abs(values), q)
  EXPECT_DOUBLE_EQ(QuantileOfMagnitudes(values, 0.01), 0.515);
  EXPECT_DOUBLE_EQ(QuantileOfMagnitudes(values, 0.3), 1.15);
  EXPECT_DOUBLE_EQ(QuantileOfMagnitudes(values, 0.5), 2.0);
  EXPECT_DOUBLE_EQ(QuantileOfMagnitudes(values, 0.75), 3.5);
  EXPECT_DOUBLE_EQ(QuantileOfMagnitudes(values, 0.9), 5.600000000000001);
  EXPECT_DOUBLE_EQ(QuantileOfMagnitudes(values, 0.99f), 7.760000228881836);
  EXPECT_DOUBLE_EQ(QuantileOfMagnitudes(values, 1), 8.0);
}

TEST(QuantileTest, OfOneValueIsThatValue) { EXPECT_EQ(QuantileOfMagnitudes({-7}, 0.3), 7); }

TEST(QuantileTest, LeavesOutWhatIsNotFinite) {
  EXPECT_EQ(QuantileOfMagnitudes({1, kNaN, 3, kInfinity, -2}, 0.5), 2);
  EXPECT_TRUE(std::isnan(QuantileOfMagnitudes({kNaN}, 0.5)));
  EXPECT_TRUE(std::isnan(QuantileOfMagnitudes({}, 0.5)));
}

TEST(JointMaskTest, KeepsMagnitudesUpToTheLimit) {
  EXPECT_THAT(MaskOf({{30, -30, 30.000002f, -31, 0}}, MaxAbs(30)), ElementsAre(1, 1, 0, 0, 1));
}

TEST(JointMaskTest, AnElementThatFailsInOneArrayIsLeftOutOfAll) {
  EXPECT_THAT(MaskOf({{1, 50, 1, 1}, {1, 1, -50, 1}}, MaxAbs(30)), ElementsAre(1, 0, 0, 1));
}

TEST(JointMaskTest, TheQuantileIsEachArraysOwn) {
  // 0.75 of four: 3.25 of (1, 2, 3, 4), 325 of the other.
  EXPECT_THAT(MaskOf({{1, 2, 3, 4}, {400, 300, 200, 100}}, Quantile(0.75)), ElementsAre(0, 1, 1, 0));
}

TEST(JointMaskTest, QuantileOneKeepsAll) {
  EXPECT_THAT(MaskOf({{1, -2, 3}, {9, 8, 7}}, Quantile(1)), ElementsAre(1, 1, 1));
}

TEST(JointMaskTest, NotANumberNeverPasses) {
  EXPECT_THAT(MaskOf({{kNaN, 1, kInfinity}}, MaxAbs(30)), ElementsAre(0, 1, 0));
  EXPECT_THAT(MaskOf({{kNaN, 1, kInfinity}}, Quantile(1)), ElementsAre(0, 1, 0));
}

TEST(JointMaskTest, OfNothingIsNothing) {
  EXPECT_THAT(MaskOf({}, MaxAbs(30)), IsEmpty());
  EXPECT_THAT(MaskOf({{}, {}}, Quantile(0.5)), IsEmpty());
}

TEST(CountHiddenTest, CountsPositionsWithinTheirInputs) {
  // Two inputs, of two tokens and one; width 3. Position 0 is the first row of both.
  const std::vector<uint8_t> mask = {0, 1, 0,  //
                                     1, 1, 0,  //
                                     1, 1, 0};
  MaskReport report = CountHidden(mask, 3, {2, 1});
  EXPECT_EQ(report.total, 9u);
  EXPECT_EQ(report.hidden, 4u);
  EXPECT_THAT(report.positions, ElementsAre(HiddenCount{0, 3}, HiddenCount{1, 1}));
  EXPECT_THAT(report.dimensions, ElementsAre(HiddenCount{2, 3}, HiddenCount{0, 1}));
}

TEST(CountHiddenTest, NamesTheEightThatAreHiddenMost) {
  // Ten dimensions; dimension i is hidden at i of ten positions, 3 and 4 alike.
  std::vector<uint8_t> mask;
  for (size_t position = 0; position < 10; ++position) {
    for (size_t i = 0; i < 10; ++i) mask.push_back(position < (i == 4 ? 3 : i) ? 0 : 1);
  }
  MaskReport report = CountHidden(mask, 10, {10});
  EXPECT_THAT(report.dimensions,
              ElementsAre(HiddenCount{9, 9}, HiddenCount{8, 8}, HiddenCount{7, 7}, HiddenCount{6, 6}, HiddenCount{5, 5},
                          HiddenCount{3, 3}, HiddenCount{4, 3}, HiddenCount{2, 2}));
}

TEST(CountHiddenTest, NamesNothingWhereNothingIsHidden) {
  MaskReport report = CountHidden({1, 1, 1, 1}, 2, {2});
  EXPECT_EQ(report.hidden, 0u);
  EXPECT_THAT(report.positions, IsEmpty());
  EXPECT_THAT(report.dimensions, IsEmpty());
  EXPECT_EQ(CountHidden({}, 2, {}).total, 0u);
}

}  // namespace
}  // namespace hydrophone
