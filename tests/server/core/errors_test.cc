#include "server/core/errors.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace hydrophone {
namespace {

TEST(ViolationsTest, NoneIsOk) {
  const absl::Status status = Violations().ToStatus();
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(ReasonOf(status), "");
  EXPECT_TRUE(ViolationsOf(status).empty());
  EXPECT_EQ(ViolationTotalOf(status), 0u);
}

TEST(ViolationsTest, AllTravelWithTheStatusInOrder) {
  Violations violations;
  violations.Add("inputs[0].text", "is empty");
  violations.Add("hooks[1].layers[0]", "got 12, expected a layer below 12");
  const absl::Status status = violations.ToStatus();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "inputs[0].text: is empty (and 1 more)");
  EXPECT_EQ(ReasonOf(status), "BAD_REQUEST");
  EXPECT_EQ(ViolationTotalOf(status), 2u);
  const std::vector<Violation> kept = ViolationsOf(status);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].field, "inputs[0].text");
  EXPECT_EQ(kept[1].field, "hooks[1].layers[0]");
  EXPECT_EQ(kept[1].description, "got 12, expected a layer below 12");
}

TEST(ViolationsTest, KeepsSixteenAndCountsTheRest) {
  Violations violations;
  for (int i = 0; i < 100; ++i) violations.Add(absl::StrCat("inputs[", i, "]"), "bad");
  const absl::Status status = violations.ToStatus();
  EXPECT_EQ(violations.total(), 100u);
  EXPECT_EQ(ViolationTotalOf(status), 100u);
  ASSERT_EQ(ViolationsOf(status).size(), 16u);
  EXPECT_EQ(ViolationsOf(status).back().field, "inputs[15]");
}

TEST(ViolationsTest, FieldsMayHoldAnyBytes) {
  const std::string odd("a\0b\n:/", 6);
  Violations violations;
  violations.Add(odd, odd);
  violations.Add("", "");
  const std::vector<Violation> kept = ViolationsOf(violations.ToStatus());
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].field, odd);
  EXPECT_EQ(kept[0].description, odd);
  EXPECT_EQ(kept[1].field, "");
}

TEST(ErrorsTest, ErrorsAboutOneFieldNameItAsTheirViolation) {
  const absl::Status precondition = PreconditionFailed("model", "gpt2-xl", "gpt2");
  EXPECT_EQ(precondition.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ViolationsOf(precondition)[0].field, "model");
  EXPECT_EQ(ReasonOf(precondition), "PRECONDITION");
  EXPECT_EQ(precondition.message(), "model: got \"gpt2-xl\", expected \"gpt2\"");

  const absl::Status large = TooLarge("inputs", 20000, 16384, "tokens");
  EXPECT_EQ(large.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(large), "TOO_LARGE");
  EXPECT_EQ(ViolationTotalOf(large), 1u);
  EXPECT_EQ(large.message(), "inputs: needs 20000 tokens, the limit is 16384");
}

TEST(ErrorsTest, RetryTimeTravelsWithTheStatus) {
  const absl::Status overloaded = Overloaded("the queue is full", absl::Milliseconds(1500));
  EXPECT_EQ(overloaded.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(overloaded), "OVERLOADED");
  EXPECT_EQ(RetryAfterOf(overloaded), absl::Milliseconds(1500));

  const absl::Status draining = Draining(absl::Seconds(2));
  EXPECT_EQ(draining.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(draining), "DRAINING");
  EXPECT_EQ(RetryAfterOf(draining), absl::Seconds(2));
  EXPECT_EQ(RetryAfterOf(Draining(absl::Seconds(-1))), absl::ZeroDuration());
}

TEST(ErrorsTest, OtherStatusesCarryNothing) {
  const absl::Status other = absl::InternalError("out of memory");
  EXPECT_EQ(ReasonOf(other), "");
  EXPECT_TRUE(ViolationsOf(other).empty());
  EXPECT_FALSE(RetryAfterOf(other).has_value());
}

}  // namespace
}  // namespace hydrophone
