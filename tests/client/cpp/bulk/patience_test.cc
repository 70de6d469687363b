#include "client/cpp/bulk/patience.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;

// Time passes only while it is slept.
class AskPatientlyTest : public ::testing::Test {
 protected:
  absl::Status Ask(const std::vector<absl::Status>& answers, absl::Duration patience) {
    return AskPatiently([&] { return answers[std::min(asked_++, answers.size() - 1)]; }, patience, [&] { return now_; },
                        [&](absl::Duration pause) {
                          pauses_.push_back(absl::ToInt64Milliseconds(pause));
                          now_ += pause;
                        });
  }

  absl::Time now_ = absl::UnixEpoch();
  size_t asked_ = 0;
  std::vector<int64_t> pauses_;
};

TEST_F(AskPatientlyTest, AsksAgainUntilThereIsAnAnswer) {
  const std::vector<absl::Status> answers = {absl::UnavailableError("gone"), absl::DataLossError("cut"),
                                             absl::DeadlineExceededError("late"), absl::OkStatus()};
  EXPECT_TRUE(Ask(answers, absl::Seconds(60)).ok());
  EXPECT_THAT(pauses_, ElementsAre(100, 200, 400));
}

TEST_F(AskPatientlyTest, PausesGrowToTwoSecondsAndEndWithThePatience) {
  EXPECT_TRUE(absl::IsUnavailable(Ask({absl::UnavailableError("gone")}, absl::Seconds(7))));
  EXPECT_THAT(pauses_, ElementsAre(100, 200, 400, 800, 1600, 2000));
  EXPECT_EQ(asked_, 7);
}

TEST_F(AskPatientlyTest, WhatIsWrongWithTheRequestIsToldAtOnce) {
  EXPECT_TRUE(absl::IsInvalidArgument(Ask({absl::InvalidArgumentError("hooks[0]")}, absl::Seconds(60))));
  EXPECT_TRUE(absl::IsUnknown(Ask({absl::UnknownError("No space left on device")}, absl::Seconds(60))));
  EXPECT_EQ(asked_, 2);
}

}  // namespace
}  // namespace hydrophone::client
