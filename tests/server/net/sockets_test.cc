#include "server/net/sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/net/listener.h"
#include "tests/server/net/loopback.h"

namespace hydrophone {
namespace {

using testing::MatchesRegex;

// Both ends of a connection on the loopback.
class SystemSocketsTest : public testing::Test {
 protected:
  std::unique_ptr<Listener> listener_ = Listener::Open(ParseAddress("127.0.0.1:0").value()).value();
  Handle client_ = ConnectTo(listener_->port());
  Handle server_ = AcceptFrom(listener_->sockets()[0]);
  Sockets& sockets_ = SystemSockets();
};

TEST_F(SystemSocketsTest, CountsWhatHasArrivedAlsoBeforeItIsRead) {
  const SocketId id = sockets_.Identify(server_.get());
  ASSERT_EQ(send(client_.get(), "hello", 5, 0), 5);
  PollOrFail("five bytes", [&] { return sockets_.Look(id)->received == 5; });
}

TEST_F(SystemSocketsTest, TellsWhatAPeerThatDoesNotReadLeavesUnsent) {
  const SocketId id = sockets_.Identify(server_.get());
  const std::string block(1 << 16, 'x');
  while (send(server_.get(), block.data(), block.size(), MSG_NOSIGNAL) > 0) {
  }
  EXPECT_GT(sockets_.Look(id)->unsent, 0u);
}

TEST_F(SystemSocketsTest, ADescriptorThatStandsForAnotherSocketIsNotTheOldOne) {
  const SocketId id = sockets_.Identify(server_.get());
  ASSERT_TRUE(sockets_.Look(id).has_value());
  Handle other = ConnectTo(listener_->port());
  Handle accepted = AcceptFrom(listener_->sockets()[0]);
  ASSERT_EQ(dup2(accepted.get(), server_.get()), server_.get());
  EXPECT_FALSE(sockets_.Look(id).has_value());
  sockets_.Cut(id);
  ASSERT_EQ(send(other.get(), "x", 1, MSG_NOSIGNAL), 1);
  char byte = 0;
  PollOrFail("a byte", [&] { return recv(accepted.get(), &byte, 1, MSG_DONTWAIT) == 1; });
  server_.Close();
  EXPECT_FALSE(sockets_.Look(id).has_value());
}

TEST_F(SystemSocketsTest, ACutDropsWhatWasNotReadAndTellsBothSides) {
  ASSERT_EQ(send(client_.get(), "hello", 5, 0), 5);
  const SocketId id = sockets_.Identify(server_.get());
  PollOrFail("five bytes", [&] { return sockets_.Look(id)->received == 5; });
  sockets_.Cut(id);
  char bytes[8];
  EXPECT_LE(recv(server_.get(), bytes, sizeof(bytes), 0), 0);
  AwaitClosed(client_);
}

TEST_F(SystemSocketsTest, NamesPeersOfIpv4) {
  EXPECT_THAT(sockets_.Peer(server_.get()), MatchesRegex("ipv4:127\\.0\\.0\\.1:[0-9]+"));
}

TEST_F(SystemSocketsTest, NamesPeersOfIpv6AndOfIpv4OnASocketOfBoth) {
  auto both = Listener::Open(ParseAddress("[::]:0").value()).value();
  Handle mapped = ConnectTo(both->port());
  Handle accepted = AcceptFrom(both->sockets()[0]);
  EXPECT_THAT(sockets_.Peer(accepted.get()), MatchesRegex("ipv4:127\\.0\\.0\\.1:[0-9]+"));
  Handle six = ConnectTo6(both->port());
  if (six.get() < 0) GTEST_SKIP() << "this machine has no IPv6";
  Handle accepted6 = AcceptFrom(both->sockets()[0]);
  EXPECT_THAT(sockets_.Peer(accepted6.get()), MatchesRegex("ipv6:%5B::1%5D:[0-9]+"));
}

TEST_F(SystemSocketsTest, ASocketInTheFileSystemHasNoCountsAndCanBeCut) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  Handle one(ends[0]), other(ends[1]);
  const SocketId id = sockets_.Identify(one.get());
  EXPECT_EQ(sockets_.Peer(one.get()), "unix:");
  EXPECT_EQ(sockets_.Look(id)->received, 0u);
  sockets_.Cut(id);
  AwaitClosed(other);
}

}  // namespace
}  // namespace hydrophone
