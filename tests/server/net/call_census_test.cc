#include "server/net/call_census.h"

#include <gtest/gtest.h>

#include "tests/server/net/fake_sockets.h"

namespace hydrophone {
namespace {

TEST(CallCensus, TellsThoseThatWaitAndAlarmsWhenTheyAreTooMany) {
  FakeSockets sockets;
  Connections connections(&sockets, 1, [](const std::string&, absl::string_view) {});
  int alarms = 0;
  CallCensus census(&connections, [&] { ++alarms; });
  for (int64_t i = 0; i < kMostWaitingCalls; ++i) census.Arrived();
  EXPECT_EQ(census.waiting(), kMostWaitingCalls);
  EXPECT_EQ(alarms, 0);
  for (int i = 0; i < 512; ++i) census.Arrived();
  EXPECT_EQ(alarms, 2);
  for (int i = 0; i < 600; ++i) census.Begun("a peer");
  EXPECT_EQ(census.waiting(), kMostWaitingCalls - 88);
  for (int i = 0; i < 80; ++i) census.Arrived();
  EXPECT_EQ(alarms, 2);
}

}  // namespace
}  // namespace hydrophone
