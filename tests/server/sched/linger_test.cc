#include "server/sched/linger.h"

#include <gtest/gtest.h>

namespace hydrophone {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);
constexpr absl::Duration kLongest = absl::Milliseconds(1);

TEST(Linger, NobodyWaitsBeforeTheFirstBatch) { EXPECT_LE(Linger(kLongest).Until(1, kStart), kStart); }

TEST(Linger, WhoIsAloneNeverWaits) {
  Linger linger(kLongest);
  linger.BatchDone(1, 0, kStart);
  EXPECT_LE(linger.Until(1, kStart), kStart);
}

TEST(Linger, TwoInTurnNeverWait) {
  Linger linger(kLongest);
  linger.BatchDone(1, 1, kStart);
  EXPECT_LE(linger.Until(1, kStart), kStart);
}

TEST(Linger, HalfOfABatchIsWaitedFor) {
  Linger linger(kLongest);
  linger.BatchDone(5, 0, kStart);
  EXPECT_EQ(linger.Until(2, kStart), kStart + kLongest);
  EXPECT_LE(linger.Until(3, kStart), kStart);
}

TEST(Linger, WhoWaitedBesideTheBatchCounts) {
  Linger linger(kLongest);
  linger.BatchDone(31, 1, kStart);
  EXPECT_EQ(linger.Until(1, kStart), kStart + kLongest);
  EXPECT_LE(linger.Until(16, kStart), kStart);
}

TEST(Linger, ItBeginsWithTheOldestThatWaits) {
  Linger linger(kLongest);
  linger.BatchDone(3, 0, kStart);
  const absl::Time later = kStart + absl::Hours(1);
  EXPECT_EQ(linger.Until(1, later), later + kLongest);
}

TEST(Linger, ItBeginsNoEarlierThanTheEngineIsFree) {
  Linger linger(kLongest);
  linger.BatchDone(3, 1, kStart);
  EXPECT_EQ(linger.Until(1, kStart - absl::Hours(1)), kStart + kLongest);
}

TEST(Linger, WithoutLingerABatchStartsAtOnce) {
  Linger linger(absl::ZeroDuration());
  linger.BatchDone(3, 0, kStart);
  EXPECT_LE(linger.Until(1, kStart), kStart);
}

}  // namespace
}  // namespace hydrophone
