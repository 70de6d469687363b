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
  ReferenceComparison comparison;
  comparison.Add(kPoint, 0, reference.size() / 2, reference, captured);
  EXPECT_THAT(comparison.Checks(), SizeIs(1));
  return comparison.Checks()[0];
}

TEST(ReferenceCheckTest, PassesEqualValues) {
  Check check = Compare({1, -2, 3, 4}, {1, -2, 3, 4});
  EXPECT_EQ(check.name, "reference.blocks.3.hook_attn_out");
  EXPECT_TRUE(check.passed);
  EXPECT_EQ(check.value, 0);
  EXPECT_EQ(check.tolerance, AllowanceAt(Site::kAttnOut).tolerance);
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
  ReferenceComparison comparison;
  comparison.Add(kPoint, 0, 1, std::vector<double>{1, 1}, std::vector<float>{1, 1.25f});
  comparison.Add({Site::kMlpOut, 0}, 0, 1, std::vector<double>{1, 1}, std::vector<float>{1, 1});
  comparison.Add(kPoint, 1, 2, std::vector<double>{1, 1, 1, 1}, std::vector<float>{1, 1, 1.5f, 1});
  ASSERT_THAT(comparison.Checks(), SizeIs(2));
  Check check = comparison.Checks()[0];
  EXPECT_EQ(check.value, 0.5);
  EXPECT_THAT(check.detail, AllOf(HasSubstr("over 3 tokens"), HasSubstr("input 1, position 1, dimension 0")));
}

constexpr float kMasked = -std::numeric_limits<float>::infinity();

// Two heads, two tokens.
Check CompareSquares(Site site, const std::vector<double>& reference, const std::vector<float>& captured) {
  ReferenceComparison comparison;
  comparison.Add({site, 1}, 0, 2, reference, captured);
  EXPECT_THAT(comparison.Checks(), SizeIs(1));
  return comparison.Checks()[0];
}

TEST(ReferenceCheckTest, ScoresAreComparedByQueryInAllHeads) {
  const std::vector<double> reference = {1, kMasked, 2, 4, -8, kMasked, 1, 1};
  EXPECT_TRUE(CompareSquares(Site::kAttnScores, reference, {1, kMasked, 2, 4, -8, kMasked, 1, 1}).passed);
  // The first query's largest is head 1's 8, the second's head 0's 4.
  EXPECT_EQ(CompareSquares(Site::kAttnScores, reference, {2, kMasked, 2, 4, -8, kMasked, 1, 1}).value, 1 / 8.0);
  Check check = CompareSquares(Site::kAttnScores, reference, {1, kMasked, 2, 4, -8, kMasked, 1, 2});
  EXPECT_EQ(check.value, 1 / 4.0);
  EXPECT_THAT(check.detail, HasSubstr("position 1, head 1, key 1: got 2, reference 1"));
}

TEST(ReferenceCheckTest, WhatTheMaskDecidesIsExact) {
  const std::vector<double> scores = {1, kMasked, 1, 1, 1, kMasked, 1, 1}, pattern = {1, 0, 0.5, 0.5, 1, 0, 0.5, 0.5};
  EXPECT_FALSE(CompareSquares(Site::kAttnScores, scores, {1, -1e30f, 1, 1, 1, kMasked, 1, 1}).passed);
  EXPECT_FALSE(CompareSquares(Site::kPattern, pattern, {1, 1e-30f, 0.5f, 0.5f, 1, 0, 0.5f, 0.5f}).passed);
  EXPECT_TRUE(CompareSquares(Site::kPattern, pattern, {1, -0.0f, 0.5f, 0.5f, 1, 0, 0.5f, 0.5f}).passed);
  // Nothing below the diagonal is masked.
  EXPECT_FALSE(CompareSquares(Site::kAttnScores, scores, {1, kMasked, 1, 1, kMasked, kMasked, 1, 1}).passed);
}

// One token: the score and its probability, or what else comes after it.
Check AfterScore(float score, Site site, float got) {
  ReferenceComparison comparison;
  comparison.Add({Site::kAttnScores, 1}, 0, 1, std::vector<double>{100}, std::vector<float>{score});
  comparison.Add({site, 1}, 0, 1, std::vector<double>{1}, std::vector<float>{got});
  return comparison.Checks()[1];
}

TEST(ReferenceCheckTest, WhatASoftmaxMixesMayMissTwiceWhatTheScoresDo) {
  const double most = AllowanceAt(Site::kPattern).tolerance;
  const float off = 100.001f;
  for (Site site : {Site::kSoftmax, Site::kPattern, Site::kZ, Site::kResult}) {
    EXPECT_DOUBLE_EQ(AfterScore(off, site, 1).tolerance, most + 2 * (static_cast<double>(off) - 100));
    EXPECT_TRUE(AfterScore(off, site, 1.002f).passed);
    EXPECT_FALSE(AfterScore(off, site, 1.003f).passed);
    EXPECT_FALSE(AfterScore(100, site, 1.0001f).passed);
  }
  EXPECT_EQ(AfterScore(off, Site::kAttnOut, 1).tolerance, most);
}

TEST(ReferenceCheckTest, WrongScoresAllowNothingMore) {
  EXPECT_EQ(AfterScore(101, Site::kPattern, 1).tolerance, AllowanceAt(Site::kPattern).tolerance);
  EXPECT_EQ(AfterScore(std::nanf(""), Site::kPattern, 1).tolerance, AllowanceAt(Site::kPattern).tolerance);
}

TEST(ReferenceCheckTest, ParametersAndResidualsAreExact) {
  for (Site site : {Site::kEmbed, Site::kPosEmbed, Site::kReconstructionResidual, Site::kLnFinalResidual}) {
    EXPECT_EQ(AllowanceAt(site).tolerance, 0) << static_cast<int>(site);
  }
}

TEST(ReferenceCheckTest, WithoutComparisonsThereAreNoChecks) { EXPECT_THAT(ReferenceComparison().Checks(), IsEmpty()); }

}  // namespace
}  // namespace hydrophone
