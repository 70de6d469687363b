#include "server/verify/checks.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

LayerReport Layer(int layer, double r, uint64_t different = 0, double max_abs = 0) {
  LayerReport report;
  report.layer = layer;
  report.different_elements = different;
  report.max_abs = max_abs;
  report.correlations = {{"", 0.5, 0.5}, {"", 0.5, 0.5}, {"", r, r}, {"", 0.5, 0.5}};
  return report;
}

TEST(CheckTest, PassesUpToTheToleranceAndNeverForNaN) {
  EXPECT_TRUE(MakeCheck("", "", 1, 1, "").passed);
  EXPECT_FALSE(MakeCheck("", "", 1.001, 1, "").passed);
  EXPECT_FALSE(MakeCheck("", "", kNaN, 1, "").passed);
  EXPECT_FALSE(MakeCheck("", "", 0, kNaN, "").passed);
}

TEST(CheckTest, AnExactOneAllowsNoElementWithOtherBits) {
  EXPECT_TRUE(MakeExactCheck("", 0, 0, "").passed);
  EXPECT_FALSE(MakeExactCheck("", 0, 1, "").passed);
  EXPECT_FALSE(MakeExactCheck("", 1e-30, 0, "").passed);
  EXPECT_THAT(MakeExactCheck("", 0, 3, "what").detail, "what; elements with other bits: 3");
}

TEST(CheckTest, InferenceModeIsWhatTheModelFound) {
  ComputeInfo compute;
  EXPECT_FALSE(InferenceModeCheck(compute).passed);
  compute.inference_mode = true;
  EXPECT_TRUE(InferenceModeCheck(compute).passed);
}

TEST(CheckTest, ReconstructionTakesTheWorstLayer) {
  EXPECT_TRUE(ReconstructionCheck({Layer(0, 1), Layer(1, 1)}).passed);
  Check check = ReconstructionCheck({Layer(0, 1), Layer(1, 1, 2, 0.25), Layer(2, 1, 1, 0.125)});
  EXPECT_FALSE(check.passed);
  EXPECT_EQ(check.value, 0.25);
  EXPECT_THAT(check.detail, AllOf(HasSubstr("over 3 layers"), HasSubstr("elements with other bits: 3")));
  EXPECT_TRUE(std::isnan(ReconstructionCheck({Layer(0, 1, 1, kNaN), Layer(1, 1, 1, 2)}).value));
}

TEST(CheckTest, IncrementIsHeldAgainstWhatRoundingExplains) {
  EXPECT_TRUE(IncrementCheck({Layer(0, 1 - 1e-9)}, {1e-8}).passed);
  EXPECT_FALSE(IncrementCheck({Layer(0, 1 - 1e-7)}, {1e-8}).passed);
  EXPECT_TRUE(IncrementCheck({Layer(0, 1 - 1e-14)}, {0}).passed);  // float64's own rounding
}

TEST(CheckTest, IncrementNamesTheLayerNearestToItsBound) {
  // Layer 4's miss is the larger, layer 7's bound the tighter.
  Check check = IncrementCheck({Layer(4, 1 - 1e-6), Layer(7, 1 - 1e-8)}, {1e-4, 2e-8});
  EXPECT_THAT(check.detail, HasSubstr("layer 7"));
  EXPECT_NEAR(check.value, 1e-8, 1e-12);
  EXPECT_NEAR(check.tolerance, 2e-8, 1e-11);
  EXPECT_TRUE(check.passed);
}

TEST(CheckTest, IncrementLeavesOutLayersThatAddNothing) {
  Check check = IncrementCheck({Layer(0, kNaN), Layer(1, 1)}, {kInfinity, 1e-9});
  EXPECT_TRUE(check.passed);
  EXPECT_THAT(check.detail, AllOf(HasSubstr("layer 1"), HasSubstr("there: 1")));
  EXPECT_THAT(IncrementCheck({Layer(0, kNaN)}, {kInfinity}).detail, HasSubstr("no layer"));
}

TEST(CheckTest, IncrementFailsWhereThereAreNoNumbers) {
  EXPECT_FALSE(IncrementCheck({Layer(0, kNaN), Layer(1, 1)}, {kNaN, 1e-9}).passed);
  EXPECT_FALSE(IncrementCheck({Layer(0, 1), Layer(1, kNaN)}, {1e-9, 1e-9}).passed);
  EXPECT_FALSE(IncrementCheck({Layer(0, kNaN), Layer(1, 0)}, {1e-9, 1e-9}).passed);
}

TEST(CheckTest, WeightsMustBeTheFilesOnes) {
  ModelInfo model;
  model.weights_sha256 = "aa";
  EXPECT_TRUE(WeightsCheck({"aa", {}}, model).passed);

  Check other_file = WeightsCheck({"bb", {}}, model);
  EXPECT_FALSE(other_file.passed);
  EXPECT_EQ(other_file.value, 1);
  EXPECT_THAT(other_file.detail, AllOf(HasSubstr("SHA-256 bb, when loaded aa")));

  Check other_memory = WeightsCheck({"aa", {"wte.weight", "h.0.ln_1.bias"}}, model);
  EXPECT_FALSE(other_memory.passed);
  EXPECT_EQ(other_memory.value, 2);
  EXPECT_THAT(other_memory.detail, HasSubstr("differ: wte.weight, h.0.ln_1.bias"));
}

TEST(CheckTest, ManyDifferentParametersAreCounted) {
  std::vector<std::string> names;
  for (int i = 0; i < 148; ++i) names.push_back(absl::StrCat("p", i));
  EXPECT_THAT(WeightsCheck({"", names}, ModelInfo{}).detail,
              AllOf(HasSubstr("p0, p1, p2, p3, p4 and 143 more"), Not(HasSubstr("p5"))));
}

}  // namespace
}  // namespace hydrophone
