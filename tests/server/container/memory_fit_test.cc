#include "server/container/memory_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr uint64_t kWeights = 500'000'000;

class MemoryFitTest : public testing::Test {
 protected:
  absl::Status Fit(uint64_t bytes) { return FitMemory({bytes, "/sys/memory.max"}, kWeights, given_, &limits_); }

  Limits limits_;
  GivenLimits given_;
};

TEST_F(MemoryFitTest, KeepsTheDefaultsWhereThereIsMuch) {
  EXPECT_EQ(Fit(uint64_t{1} << 40), absl::OkStatus());
  EXPECT_EQ(limits_.response_budget_bytes, Limits().response_budget_bytes);
  EXPECT_EQ(limits_.max_response_bytes, Limits().max_response_bytes);
}

TEST_F(MemoryFitTest, GivesResponsesWhatIsLeft) {
  EXPECT_EQ(Fit(kWeights + kOtherMemoryBytes + 700'000'000), absl::OkStatus());
  EXPECT_EQ(limits_.response_budget_bytes, 700'000'000u);
  EXPECT_EQ(limits_.slice_bytes, 700'000'000u / kSlicesInBudget);
  EXPECT_EQ(limits_.max_response_bytes, Limits().max_response_bytes) << "a response may be larger than the budget";
}

TEST_F(MemoryFitTest, TakesTheSmallestBudgetAndRefusesOneByteLessWithTheNumbers) {
  const uint64_t needed = kWeights + kOtherMemoryBytes + kSmallestResponseBudget;
  EXPECT_THAT(Fit(needed - 1).message(),
              AllOf(HasSubstr(absl::StrCat("/sys/memory.max allows ", needed - 1, " bytes; needed are ", needed)),
                    HasSubstr("500000000 for the weights, 67108864 for responses (the smallest budget)"),
                    HasSubstr(absl::StrCat(kOtherMemoryBytes, " for everything else"))));
  EXPECT_EQ(limits_.response_budget_bytes, Limits().response_budget_bytes) << "changed by an error";
  EXPECT_EQ(Fit(needed), absl::OkStatus());
  EXPECT_EQ(limits_.response_budget_bytes, kSmallestResponseBudget);
}

TEST_F(MemoryFitTest, RefusesWeightsThatDoNotFitByThemselves) {
  EXPECT_EQ(Fit(1000).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Fit(0).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(MemoryFitTest, KeepsABudgetThatWasGivenOrRefusesIt) {
  limits_.response_budget_bytes = 1000;
  given_.response_budget_bytes = true;
  EXPECT_EQ(Fit(kWeights + kOtherMemoryBytes + 1000), absl::OkStatus());
  EXPECT_EQ(limits_.response_budget_bytes, 1000u);
  EXPECT_THAT(Fit(kWeights + kOtherMemoryBytes + 999).message(),
              HasSubstr("1000 for responses (--response_budget_bytes)"));
}

}  // namespace
}  // namespace hydrophone
