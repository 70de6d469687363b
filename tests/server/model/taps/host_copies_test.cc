#include "server/model/taps/host_copies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/late_copies.h"

namespace hydrophone {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Copies of one number each.
class HostCopiesTest : public testing::Test {
 protected:
  HostCopies Copies(int looks, size_t most_bytes = kMostBytesUnderWay) {
    auto copier = std::make_unique<LateCopier>(looks);
    copier_ = copier.get();
    return HostCopies(std::move(copier), most_bytes);
  }
  HostCopies::Arrived Note() {
    return [this](const at::Tensor& host) { arrived_.push_back(host.item<float>()); };
  }

  LateCopier* copier_ = nullptr;
  std::vector<float> arrived_;
};

TEST_F(HostCopiesTest, PollDeliversWhatIsDoneAndDoesNotWait) {
  HostCopies copies = Copies(1);
  copies.Fetch(at::full({1}, 7.0, at::kFloat), Note());
  EXPECT_THAT(arrived_, IsEmpty());
  copies.Poll();
  EXPECT_THAT(arrived_, IsEmpty());
  copies.Poll();
  EXPECT_THAT(arrived_, ElementsAre(7));
}

TEST_F(HostCopiesTest, ACopyThatIsDoneEarlyWaitsForThoseAskedForBefore) {
  HostCopies copies = Copies(LateCopier::kNever);
  copies.Fetch(at::full({1}, 1.0, at::kFloat), Note());
  copies.Fetch(at::full({1}, 2.0, at::kFloat), Note());
  copier_->states()[1]->looks_until_done = 0;
  copies.Poll();
  EXPECT_THAT(arrived_, IsEmpty());
  copier_->states()[0]->looks_until_done = 0;
  copies.Poll();
  EXPECT_THAT(arrived_, ElementsAre(1, 2));
}

TEST_F(HostCopiesTest, WhatIsInTheHostsMemoryWaitsForItsTurn) {
  HostCopies copies = Copies(LateCopier::kNever);
  copies.Queue(at::full({1}, 1.0, at::kFloat), Note());
  EXPECT_THAT(arrived_, ElementsAre(1));
  copies.Fetch(at::full({1}, 2.0, at::kFloat), Note());
  copies.Queue(at::full({1}, 3.0, at::kFloat), Note());
  EXPECT_THAT(arrived_, ElementsAre(1));
  copies.Finish();
  EXPECT_THAT(arrived_, ElementsAre(1, 2, 3));
}

TEST_F(HostCopiesTest, FinishWaitsForEverything) {
  HostCopies copies = Copies(LateCopier::kNever);
  for (float i : {0.0f, 1.0f, 2.0f}) copies.Fetch(at::full({1}, i, at::kFloat), Note());
  copies.Finish();
  EXPECT_THAT(arrived_, ElementsAre(0, 1, 2));
  for (const auto& state : copier_->states()) EXPECT_TRUE(state->waited);
}

TEST_F(HostCopiesTest, WaitsForTheOldestWhenTooMuchIsUnderWay) {
  HostCopies copies = Copies(LateCopier::kNever, 2 * sizeof(float));
  for (float i : {0.0f, 1.0f, 2.0f}) copies.Fetch(at::full({1}, i, at::kFloat), Note());
  EXPECT_THAT(arrived_, ElementsAre(0));
  copies.Fetch(at::full({5}, 9.0, at::kFloat),
               [this](const at::Tensor& host) { arrived_.push_back(host[4].item<float>()); });
  EXPECT_THAT(arrived_, ElementsAre(0, 1, 2));  // too large by itself: alone under way
  copies.Finish();
  EXPECT_THAT(arrived_, ElementsAre(0, 1, 2, 9));
}

TEST_F(HostCopiesTest, ForgetsWhatHasNotArrivedWhenItEnds) {
  { Copies(LateCopier::kNever).Fetch(at::full({1}, 1.0, at::kFloat), Note()); }
  EXPECT_THAT(arrived_, IsEmpty());
}

}  // namespace
}  // namespace hydrophone
