#include "server/verify/reference_check.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr HookPoint kPoint{Site::kAttnOut, 3};

Check Compare(const std::vector<double>& reference, const std::vector<float>& captured) {
  ReferenceComparison comparison(2);
  comparison.Add(kPoint, 0, reference, captured);
  EXPECT_THAT(comparison.Checks(), SizeIs(1));
  return comparison.Checks()[0];
}

TEST(ReferenceCheckTest, PassesEqualValues) {
  Check check = Compare({1, -2, 3, 4}, {1, -2, 3, 4});
  EXPECT_EQ(check.name, "reference.blocks.3.hook_attn_out");
  EXPECT_TRUE(check.passed);
  EXPECT_EQ(check.value, 0);
  EXPECT_EQ(check.tolerance, ReferenceComparison::kTolerance);
  EXPECT_THAT(check.detail, AllOf(HasSubstr("over 2 tokens"), Not(HasSubstr("worst"))));
}

TEST(ReferenceCheckTest, IsRelativeToThePositionsLargestValue) {
  // 0.01 of 4, not of 4000: a large first token hides nothing of the second.
  Check check = Compare({4000, 1, -4, 1}, {4000, 1, -4, 1.01f});
  EXPECT_NEAR(check.value, 0.0025, 1e-8);
  EXPECT_FALSE(check.passed);
  EXPECT_THAT(check.detail, HasSubstr("input 0, position 1, dimension 1: got 1.00999999, reference 1"));
}

TEST(ReferenceCheckTest, AllowsWhatFloat32Costs) {
  EXPECT_TRUE(Compare({1.0 / 3, 7}, {1.0f / 3, 7}).passed);
  EXPECT_TRUE(Compare({1, 7}, {1 + 1e-5f, 7}).passed);
  EXPECT_FALSE(Compare({1, 7}, {1 + 1e-3f, 7}).passed);
}

TEST(ReferenceCheckTest, APositionOfZerosAllowsNothing) {
  EXPECT_TRUE(Compare({0, 0}, {0, -0.0f}).passed);
  Check check = Compare({0, 0}, {0, 1e-30f});
  EXPECT_FALSE(check.passed);
  EXPECT_EQ(check.value, std::numeric_limits<double>::infinity());
}

TEST(ReferenceCheckTest, NotANumberFails) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Check check = Compare({1, 1, 1, 1}, {1, nan, 1, 2});
  EXPECT_FALSE(check.passed);
  EXPECT_TRUE(std::isnan(check.value));
  EXPECT_THAT(check.detail, HasSubstr("position 0, dimension 1"));
  EXPECT_FALSE(Compare({std::nan(""), 1}, {nan, 1}).passed);
}

TEST(ReferenceCheckTest, TakesTheWorstOfAllInputs) {
  ReferenceComparison comparison(2);
  comparison.Add(kPoint, 0, std::vector<double>{1, 1}, std::vector<float>{1, 1.25f});
  comparison.Add({Site::kMlpOut, 0}, 0, std::vector<double>{1, 1}, std::vector<float>{1, 1});
  comparison.Add(kPoint, 1, std::vector<double>{1, 1, 1, 1}, std::vector<float>{1, 1, 1.5f, 1});
  ASSERT_THAT(comparison.Checks(), SizeIs(2));
  Check check = comparison.Checks()[0];
  EXPECT_EQ(check.value, 0.5);
  EXPECT_THAT(check.detail, AllOf(HasSubstr("over 3 tokens"), HasSubstr("input 1, position 1, dimension 0")));
}

TEST(ReferenceCheckTest, WithoutComparisonsThereAreNoChecks) {
  EXPECT_THAT(ReferenceComparison(2).Checks(), IsEmpty());
}

}  // namespace
}  // namespace hydrophone
