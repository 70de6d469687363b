#include "server/access/account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/core/errors.h"
#include "tests/fakes/fake_clock.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;

class AccountTest : public testing::Test {
 protected:
  FakeClock clock_;
};

TEST_F(AccountTest, WithoutLimitsNothingIsRefused) {
  Account account("a", {}, &clock_);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(account.Enter().ok());
    EXPECT_TRUE(account.Take(uint64_t{1} << 40, uint64_t{1} << 40).ok());
  }
}

TEST_F(AccountTest, CallsAtOnceAreBoundedAndAnEndMakesRoom) {
  Account account("alice", {.requests = 2}, &clock_);
  EXPECT_TRUE(account.Enter().ok());
  EXPECT_TRUE(account.Enter().ok());
  const absl::Status refused = account.Enter();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "CALLER_LIMIT");
  EXPECT_EQ(RetryAfterOf(refused), absl::Seconds(1));
  EXPECT_EQ(refused.message(), "alice has 2 calls open, and may have 2");
  account.Leave(0);
  EXPECT_TRUE(account.Enter().ok());
}

TEST_F(AccountTest, BytesAreHeldUntilTheCallEnds) {
  Account account("alice", {.bytes_in_flight = 100}, &clock_);
  ASSERT_TRUE(account.Enter().ok());
  EXPECT_TRUE(account.Take(1, 60).ok());
  const absl::Status refused = account.Take(1, 41);
  EXPECT_EQ(ReasonOf(refused), "CALLER_LIMIT");
  EXPECT_THAT(std::string(refused.message()), HasSubstr("hold 60 bytes of captures, this one needs 41, and 100"));
  EXPECT_TRUE(account.Take(1, 40).ok());
  account.Leave(100);
  ASSERT_TRUE(account.Enter().ok());
  EXPECT_TRUE(account.Take(1, 100).ok());
}

TEST_F(AccountTest, WhatCanNeverFitIsRefusedWithTheNumberItNeeds) {
  Account account("alice", {.bytes_in_flight = 100}, &clock_);
  const absl::Status refused = account.Take(1, 101);
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused), "TOO_LARGE");
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("needs 101 bytes of captures in flight for alice, the limit is 100"));
}

TEST_F(AccountTest, TokensComeBackWithTimeAndTheRefusalSaysWhen) {
  Account account("alice", {.tokens_per_second = 100}, &clock_);
  EXPECT_TRUE(account.Take(70, 0).ok());
  const absl::Status refused = account.Take(50, 0);
  EXPECT_EQ(ReasonOf(refused), "CALLER_LIMIT");
  EXPECT_EQ(RetryAfterOf(refused), absl::Milliseconds(200));
  clock_.Advance(absl::Milliseconds(199));
  EXPECT_FALSE(account.Take(50, 0).ok());
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(account.Take(50, 0).ok());
  clock_.Advance(absl::Hours(1));
  EXPECT_TRUE(account.Take(100, 0).ok());  // the bucket holds no more than a second's worth
  EXPECT_FALSE(account.Take(1, 0).ok());
}

TEST_F(AccountTest, ALargeCallHasItsTurnAndLeavesADebt) {
  Account account("alice", {.tokens_per_second = 100}, &clock_);
  EXPECT_TRUE(account.Take(1000, 0).ok());
  EXPECT_EQ(RetryAfterOf(account.Take(10, 0)), absl::Seconds(9) + absl::Milliseconds(100));
  EXPECT_EQ(RetryAfterOf(account.Take(5000, 0)), absl::Seconds(10));
  clock_.Advance(absl::Seconds(10));
  EXPECT_TRUE(account.Take(5000, 0).ok());
}

TEST_F(AccountTest, ARefusedCallTakesNothing) {
  Account account("alice", {.tokens_per_second = 100, .bytes_in_flight = 100}, &clock_);
  EXPECT_TRUE(account.Take(50, 60).ok());
  EXPECT_FALSE(account.Take(50, 60).ok());  // for its bytes
  EXPECT_FALSE(account.Take(60, 40).ok());  // for its tokens
  EXPECT_TRUE(account.Take(50, 40).ok());
}

TEST_F(AccountTest, AClockThatIsSetBackTakesNoTokens) {
  Account account("alice", {.tokens_per_second = 100}, &clock_);
  clock_.Advance(-absl::Hours(1));
  EXPECT_TRUE(account.Take(100, 0).ok());
}

TEST_F(AccountTest, NewLimitsHoldAtOnceForWhatIsTaken) {
  Account account("alice", {.requests = 1}, &clock_);
  ASSERT_TRUE(account.Enter().ok());
  account.SetLimits({.requests = 2, .tokens_per_second = 10});
  EXPECT_TRUE(account.Enter().ok());
  EXPECT_FALSE(account.Enter().ok());
  EXPECT_TRUE(account.Take(10, 0).ok());
  account.SetLimits({.requests = 2, .tokens_per_second = 10});
  EXPECT_FALSE(account.Take(10, 0).ok()) << "the same limits must not fill the bucket";
}

}  // namespace
}  // namespace hydrophone
