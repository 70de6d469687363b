#include "server/net/connections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/net/fake_sockets.h"

namespace hydrophone {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1000);

class ConnectionsTest : public testing::Test {
 protected:
  uint64_t Open(int fd) {
    sockets_.traffic[fd] = {};
    return connections_.Add(fd, kStart).value();
  }
  void BeginCalls(const std::string& peer, int64_t calls) {
    for (int64_t i = 0; i < calls; ++i) connections_.CallBegun(peer);
  }
  void EndCalls(const std::string& peer, int64_t calls) {
    for (int64_t i = 0; i < calls; ++i) connections_.CallEnded(peer);
  }
  // What the only connection did.
  Activity SurveyOne() {
    const std::vector<Activity> all = connections_.Survey();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Activity{} : all[0];
  }

  FakeSockets sockets_;
  std::vector<std::string> cuts_;
  Connections connections_{&sockets_, 3, [this](const std::string& peer, absl::string_view reason) {
                             cuts_.push_back(peer + ": " + std::string(reason));
                           }};
};

TEST_F(ConnectionsTest, OneMoreThanTheMostFindsNoRoomUntilOneIsClosed) {
  for (int fd : {5, 6, 7}) Open(fd);
  sockets_.traffic[8] = {};
  EXPECT_FALSE(connections_.Add(8, kStart).has_value());
  sockets_.traffic.erase(6);
  EXPECT_TRUE(connections_.Add(8, kStart + absl::Seconds(1)).has_value());
  EXPECT_EQ(connections_.size(), 3u);
}

TEST_F(ConnectionsTest, AFullTableIsNotSearchedForEachThatComes) {
  for (int fd : {5, 6, 7}) Open(fd);
  EXPECT_FALSE(connections_.Add(8, kStart).has_value());
  sockets_.traffic.erase(6);
  EXPECT_FALSE(connections_.Add(8, kStart + absl::Milliseconds(99)).has_value());
  EXPECT_TRUE(connections_.Add(8, kStart + absl::Milliseconds(100)).has_value());
}

TEST_F(ConnectionsTest, ASurveyTellsWhatCameSinceTheOneBefore) {
  const uint64_t number = Open(5);
  sockets_.traffic[5].received = 100;
  BeginCalls("peer:5", 2);
  Activity first = SurveyOne();
  EXPECT_EQ(first.number, number);
  EXPECT_EQ(first.received, 100u);
  EXPECT_EQ(first.begun, 2u);
  sockets_.traffic[5].received = 130;
  EndCalls("peer:5", 1);
  Activity second = SurveyOne();
  EXPECT_EQ(second.received, 30u);
  EXPECT_EQ(second.begun, 0u);
}

TEST_F(ConnectionsTest, ASurveyForgetsWhatWasClosed) {
  Open(5);
  sockets_.traffic.clear();
  EXPECT_THAT(connections_.Survey(), IsEmpty());
  EXPECT_EQ(connections_.size(), 0u);
}

TEST_F(ConnectionsTest, AsManyCallsAsAConnectionMayHaveAreNoReasonToCutIt) {
  Open(5);
  BeginCalls("peer:5", kMostCallsOfAConnection);
  EndCalls("peer:5", 10);
  BeginCalls("peer:5", 10);
  EXPECT_THAT(sockets_.cut, IsEmpty());
}

TEST_F(ConnectionsTest, OneCallMoreCutsTheConnectionAndNoOther) {
  Open(5);
  Open(6);
  BeginCalls("peer:6", 10);
  BeginCalls("peer:5", kMostCallsOfAConnection + 1);
  EXPECT_THAT(sockets_.cut, ElementsAre(5));
  EXPECT_THAT(cuts_, ElementsAre(HasSubstr("peer:5: more than 600 calls")));
  EXPECT_EQ(connections_.size(), 1u);
  BeginCalls("peer:5", 10);  // what was read before the cut
  EndCalls("peer:5", kMostCallsOfAConnection + 11);
  EXPECT_THAT(sockets_.cut, ElementsAre(5));
}

TEST_F(ConnectionsTest, ConnectionsOfOnePeerHaveTheirCallsTogether) {
  sockets_.peer = "unix:";
  Open(5);
  Open(6);
  BeginCalls("unix:", 2 * kMostCallsOfAConnection);
  EXPECT_THAT(sockets_.cut, IsEmpty());
  BeginCalls("unix:", 1);
  EXPECT_THAT(sockets_.cut, ElementsAre(5, 6));
}

TEST_F(ConnectionsTest, CallsOfAnUnknownPeerAreNotCounted) {
  BeginCalls("inproc", 2 * kMostCallsOfAConnection);
  EndCalls("inproc", 1);
  EXPECT_THAT(cuts_, IsEmpty());
}

TEST_F(ConnectionsTest, ACallMayOutliveItsConnectionAndMeetThePeerAgain) {
  Open(5);
  BeginCalls("peer:5", 1);
  sockets_.traffic.clear();
  connections_.Survey();
  Open(5);
  EndCalls("peer:5", 1);
  BeginCalls("peer:5", 1);
  EXPECT_EQ(SurveyOne().begun, 1u);
}

TEST_F(ConnectionsTest, WhatIsBeingGreetedIsKnownUntilItIsGreeted) {
  Open(5);
  const uint64_t number = Open(6);
  EXPECT_EQ(connections_.GreetedSince(kStart - absl::Milliseconds(1)), std::nullopt);
  EXPECT_EQ(connections_.GreetedSince(kStart), number);
  connections_.Greeted(number);
  EXPECT_EQ(connections_.GreetedSince(kStart), std::nullopt);
}

TEST_F(ConnectionsTest, ItIsDeafIfItSendsAndTakesNothing) {
  Open(5);
  sockets_.traffic[5] = {.received = 1000, .acknowledged = 500, .unsent = 10};
  EXPECT_FALSE(SurveyOne().deaf);
  sockets_.traffic[5].received += kMostBytesUnread;
  EXPECT_FALSE(SurveyOne().deaf);
  sockets_.traffic[5].received += 1;
  EXPECT_TRUE(SurveyOne().deaf);
}

TEST_F(ConnectionsTest, ItIsNotDeafIfItTakesALittle) {
  Open(5);
  sockets_.traffic[5] = {.received = 0, .acknowledged = 500, .unsent = 10};
  SurveyOne();
  for (int i = 0; i < 3; ++i) {
    sockets_.traffic[5].received += kMostBytesUnread + 1;
    sockets_.traffic[5].acknowledged += 1;
    EXPECT_FALSE(SurveyOne().deaf);
  }
}

TEST_F(ConnectionsTest, ItIsNotDeafIfNothingWaitsForIt) {
  Open(5);
  SurveyOne();
  sockets_.traffic[5].received = uint64_t{100} << 20;
  EXPECT_FALSE(SurveyOne().deaf);
}

TEST_F(ConnectionsTest, ACutOfWhatIsGoneIsNone) {
  const uint64_t number = Open(5);
  connections_.Cut(number, "a reason");
  connections_.Cut(number, "a reason");
  EXPECT_THAT(cuts_, ElementsAre("peer:5: a reason"));
}

TEST_F(ConnectionsTest, AllAreReadToTheirEndAndStayOpenUntilTheyAreClosed) {
  Open(5);
  Open(6);
  connections_.StopReading();
  EXPECT_EQ(sockets_.read_to_the_end, (std::vector<int>{5, 6}));
  EXPECT_EQ(connections_.Survey().size(), 2u);
  sockets_.traffic.clear();
  EXPECT_TRUE(connections_.Survey().empty());
}

}  // namespace
}  // namespace hydrophone
