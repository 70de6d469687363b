// What the guard cuts, what it spares, and when memory is given back: on a clock that the tests turn.
#include "server/net/guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/net/fake_sockets.h"

namespace hydrophone {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kAtRest = 500 * kMiB;
constexpr uint64_t kBudget = 1000 * kMiB;

class FakeMemory : public ProcessMemory {
 public:
  uint64_t Resident() const override { return resident; }
  void GiveBack() override { ++given_back; }
  uint64_t resident = kAtRest;
  int given_back = 0;
};

class FakeHeartbeat : public Heartbeat {
 public:
  absl::Duration Silence(absl::Time) override { return silence; }
  absl::Duration silence = absl::ZeroDuration();
};

constexpr absl::Duration kStep = absl::Milliseconds(50);

class GuardTest : public testing::Test {
 protected:
  GuardTest() { Look(); }

  void Look(absl::Duration later = kStep) {
    now_ += later;
    guard_.Look(now_);
  }
  uint64_t Open(int fd) {
    sockets_.traffic[fd] = {};
    const uint64_t number = connections_.Add(fd, now_).value();
    connections_.Greeted(number);
    return number;
  }
  void Send(int fd, uint64_t bytes) { sockets_.traffic[fd].received += bytes; }
  void Arrive(int64_t calls) {
    for (int64_t i = 0; i < calls; ++i) census_.Arrived();
  }
  void Begin(const std::string& peer, int64_t calls) {
    Arrive(calls);
    for (int64_t i = 0; i < calls; ++i) census_.Begun(peer);
  }

  absl::Time now_ = absl::FromUnixSeconds(1000);
  FakeSockets sockets_;
  std::vector<std::string> reasons_;
  Connections connections_{&sockets_, 10,
                           [this](const std::string&, absl::string_view reason) { reasons_.emplace_back(reason); }};
  int alarms_ = 0;
  CallCensus census_{&connections_, [this] { ++alarms_; }};
  FakeHeartbeat heartbeat_;
  FakeMemory memory_;
  int open_calls_ = 0;
  Guard guard_{{.connections = &connections_,
                .census = &census_,
                .heartbeat = &heartbeat_,
                .memory = &memory_,
                .open_calls = [this] { return open_calls_; },
                .budget_bytes = kBudget}};
};

TEST_F(GuardTest, AQuietServerCutsNobody) {
  Open(5);
  for (int i = 0; i < 100; ++i) {
    Send(5, 10 * kMiB);
    Begin("peer:5", 15);
    for (int call = 0; call < 15; ++call) census_.Ended("peer:5");
    Look();
  }
  EXPECT_THAT(sockets_.cut, IsEmpty());
}

TEST_F(GuardTest, WhileCallsPileUpTheLoudestConnectionsAreCut) {
  for (int fd : {5, 6, 7, 8}) Open(fd);
  Send(5, 100'000);
  Send(6, 200'000);
  Send(7, 99'999);
  Send(8, 0);
  Arrive(kMostWaitingCalls + 1);
  Look();
  EXPECT_THAT(sockets_.cut, ElementsAre(5, 6));
  EXPECT_THAT(reasons_, Each(HasSubstr("4097 calls wait to be begun")));
  Send(7, 70'000);
  Arrive(1000);
  Look();
  EXPECT_THAT(sockets_.cut, ElementsAre(5, 6, 7));
}

TEST_F(GuardTest, TheAlarmOfTheCensusIsHeededAtOnce) {
  Open(5);
  Send(5, kMiB);
  Arrive(kMostWaitingCalls + 1);
  guard_.LookAtCalls(now_);
  EXPECT_THAT(sockets_.cut, ElementsAre(5));
}

TEST_F(GuardTest, CallsThatNoLongerPileUpAreNoReason) {
  Open(5);
  Arrive(kMostWaitingCalls + 1000);
  Look();
  Send(5, kMiB);
  Arrive(10);
  Look();
  EXPECT_THAT(sockets_.cut, IsEmpty());
}

TEST_F(GuardTest, AnUploadIsQuieterThanManyCalls) {
  Open(5);
  Open(6);
  Send(5, 4 * kMiB);
  Send(6, 10'000);
  Begin("peer:6", static_cast<int64_t>(kLoudCalls));
  heartbeat_.silence = kLongestSilence + absl::Milliseconds(1);
  Look();
  EXPECT_THAT(sockets_.cut, ElementsAre(6));
}

TEST_F(GuardTest, WhileNoThreadAnswersTheLoudestIsCutButNotAQuietOne) {
  Open(5);
  Send(5, kLoudBytes - 1);
  heartbeat_.silence = kLongestSilence + absl::Milliseconds(1);
  Look();
  EXPECT_THAT(sockets_.cut, IsEmpty());
  Send(5, kLoudBytes);
  Look();
  EXPECT_THAT(sockets_.cut, ElementsAre(5));
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("no thread answered")));
}

TEST_F(GuardTest, AShortSilenceIsNoReason) {
  Open(5);
  Send(5, kMiB);
  heartbeat_.silence = kLongestSilence;
  Look();
  EXPECT_THAT(sockets_.cut, IsEmpty());
}

TEST_F(GuardTest, MemoryAboveTheBoundIsFirstGivenBackAndThenCutsTheLoudest) {
  Open(5);
  open_calls_ = 1;
  memory_.resident = kAtRest + kBudget + kSpareBytes;
  Send(5, kMiB);
  Look();
  EXPECT_EQ(memory_.given_back, 0);
  memory_.resident += 1;
  Send(5, kMiB);
  Look();
  EXPECT_EQ(memory_.given_back, 1);
  EXPECT_THAT(sockets_.cut, IsEmpty());
  Send(5, kMiB);
  Look();
  EXPECT_EQ(memory_.given_back, 1);
  EXPECT_THAT(sockets_.cut, ElementsAre(5));
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("1756 MiB of memory")));
}

TEST_F(GuardTest, AConnectionThatHoldsUpTheAcceptorIsCut) {
  sockets_.traffic[5] = {};
  connections_.Add(5, now_);
  Look(kLongestGreeting - absl::Milliseconds(1));
  EXPECT_THAT(sockets_.cut, IsEmpty());
  Look(absl::Milliseconds(1));
  EXPECT_THAT(sockets_.cut, ElementsAre(5));
}

TEST_F(GuardTest, AConnectionThatDoesNotReadWhatItAsksForIsCut) {
  Open(5);
  sockets_.traffic[5] = {.received = 10, .acknowledged = 10, .unsent = 1};
  Look(kBetweenSurveys);
  Send(5, kMostBytesUnread + 1);
  Look();
  EXPECT_THAT(sockets_.cut, IsEmpty());
  Look(kBetweenSurveys);
  EXPECT_THAT(sockets_.cut, ElementsAre(5));
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("does not read")));
}

TEST_F(GuardTest, MemoryIsGivenBackWhenTheServerHasBeenIdleAndAgainWhileSomeIsLeft) {
  memory_.resident = kAtRest + 100 * kMiB;
  open_calls_ = 1;
  for (int i = 0; i < 10; ++i) Look(kIdle);
  open_calls_ = 0;
  Look(kIdle - absl::Milliseconds(1));
  EXPECT_EQ(memory_.given_back, 0);
  Look(absl::Milliseconds(1));
  EXPECT_EQ(memory_.given_back, 1);
  Look(kIdleAgain - absl::Milliseconds(1));
  EXPECT_EQ(memory_.given_back, 1);
  Look(absl::Milliseconds(1));  // connections without calls, which held it, may have gone
  EXPECT_EQ(memory_.given_back, 2);
  memory_.resident = kAtRest;
  for (int i = 0; i < 10; ++i) Look(kIdleAgain);
  EXPECT_EQ(memory_.given_back, 2);
}

TEST_F(GuardTest, ALittleIsNotWorthGivingBack) {
  memory_.resident = kAtRest + kMiB;
  open_calls_ = 1;
  Look();
  open_calls_ = 0;
  Look(kIdle);
  EXPECT_EQ(memory_.given_back, 0);
}

TEST_F(GuardTest, AfterACutMemoryIsGivenBackTwiceAlthoughTheServerIsBusy) {
  Open(5);
  Send(5, kMiB);
  heartbeat_.silence = absl::Seconds(1);
  Look();
  ASSERT_THAT(sockets_.cut, ElementsAre(5));
  heartbeat_.silence = absl::ZeroDuration();
  open_calls_ = 1;
  memory_.resident = kAtRest + 100 * kMiB;
  Look(kAfterCut - absl::Milliseconds(1));
  EXPECT_EQ(memory_.given_back, 0);
  Look(absl::Milliseconds(1));
  EXPECT_EQ(memory_.given_back, 1);
  Look(kLongAfterCut - kAfterCut - absl::Milliseconds(1));
  EXPECT_EQ(memory_.given_back, 1);
  Look(absl::Milliseconds(1));
  EXPECT_EQ(memory_.given_back, 2);
  Look(kLongAfterCut);
  EXPECT_EQ(memory_.given_back, 2);
}

}  // namespace
}  // namespace hydrophone
