#include "server/net/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/server/net/loopback.h"

namespace hydrophone {
namespace {

using testing::HasSubstr;

Address Parse(const std::string& text) { return ParseAddress(text).value(); }

bool HasIpv6() { return Listener::Open(Parse("[::1]:0")).ok(); }

class UnixListenerTest : public testing::Test {
 protected:
  const std::filesystem::path directory_ = std::filesystem::path(testing::TempDir()) / absl::StrCat("net", getpid());
  const std::string path_ = directory_ / "socket";

  void SetUp() override { std::filesystem::create_directories(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }
};

TEST(Listener, TakesAFreePortAndListens) {
  auto listener = Listener::Open(Parse("127.0.0.1:0"));
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_GT((*listener)->port(), 0);
  Handle client = ConnectTo((*listener)->port());
  EXPECT_GE(client.get(), 0);
  EXPECT_GE(AcceptFrom((*listener)->sockets()[0]).get(), 0);
}

TEST(Listener, StopsListeningAtItsEnd) {
  auto listener = Listener::Open(Parse("127.0.0.1:0"));
  ASSERT_TRUE(listener.ok()) << listener.status();
  const int port = (*listener)->port();
  listener->reset();
  EXPECT_LT(ConnectTo(port).get(), 0);
}

TEST(Listener, ATakenPortIsAnErrorThatNamesIt) {
  auto first = Listener::Open(Parse("127.0.0.1:0"));
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string taken = absl::StrCat("127.0.0.1:", (*first)->port());
  auto second = Listener::Open(Parse(taken));
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(taken));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("already in use"));
}

TEST(Listener, APortIsFreeAgainAtOnce) {
  auto first = Listener::Open(Parse("127.0.0.1:0"));
  ASSERT_TRUE(first.ok()) << first.status();
  const int port = (*first)->port();
  Handle client = ConnectTo(port);
  AcceptFrom((*first)->sockets()[0]).Close();  // ends first, so the system remembers the connection for a minute
  first->reset();
  EXPECT_TRUE(Listener::Open(Parse(absl::StrCat("127.0.0.1:", port))).ok());
}

TEST(Listener, AnAddressOfAnotherMachineIsAnError) {
  auto listener = Listener::Open(Parse("192.0.2.1:0"));
  EXPECT_EQ(listener.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(listener.status().message()), HasSubstr("192.0.2.1:0"));
}

TEST(Listener, ANameThatStandsForNothingIsAnError) {
  auto listener = Listener::Open(Parse("no-such-host.invalid:0"));
  EXPECT_EQ(listener.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(listener.status().message()), HasSubstr("no-such-host.invalid"));
}

TEST(Listener, ANameHasOnePortOnAllItsAddresses) {
  auto listener = Listener::Open(Parse("localhost:0"));
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_GE(ConnectTo((*listener)->port()).get(), 0);
}

TEST(Listener, TakesIpv6) {
  if (!HasIpv6()) GTEST_SKIP() << "this machine has no IPv6";
  auto listener = Listener::Open(Parse("[::1]:0"));
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_GE(ConnectTo6((*listener)->port()).get(), 0);
  EXPECT_LT(ConnectTo((*listener)->port()).get(), 0);
}

TEST(Listener, EveryAddressIsThoseOfBothVersions) {
  for (const char* everywhere : {"0.0.0.0:0", "[::]:0"}) {
    auto listener = Listener::Open(Parse(everywhere));
    ASSERT_TRUE(listener.ok()) << listener.status();
    EXPECT_GE(ConnectTo((*listener)->port()).get(), 0) << everywhere;
    EXPECT_EQ(ConnectTo6((*listener)->port()).get() >= 0, HasIpv6()) << everywhere;
  }
}

TEST_F(UnixListenerTest, ListensOnAPathAndRemovesItAtItsEnd) {
  auto listener = Listener::Open(Parse("unix:" + path_));
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_EQ((*listener)->port(), 0);
  EXPECT_GE(ConnectTo(path_).get(), 0);
  listener->reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixListenerTest, APathOnWhichAProcessListensIsTaken) {
  auto first = Listener::Open(Parse("unix:" + path_));
  ASSERT_TRUE(first.ok()) << first.status();
  auto second = Listener::Open(Parse("unix:" + path_));
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(path_));
  EXPECT_GE(ConnectTo(path_).get(), 0);
}

TEST_F(UnixListenerTest, ASocketThatAProcessLeftBehindIsTakenOver) {
  {
    Handle left(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    strncpy(where.sun_path, path_.c_str(), sizeof(where.sun_path) - 1);
    ASSERT_EQ(bind(left.get(), reinterpret_cast<sockaddr*>(&where), sizeof(where)), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(path_));
  auto listener = Listener::Open(Parse("unix:" + path_));
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_GE(ConnectTo(path_).get(), 0);
}

TEST_F(UnixListenerTest, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(path_) << "text";
  auto listener = Listener::Open(Parse("unix:" + path_));
  EXPECT_EQ(listener.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(std::filesystem::file_size(path_), 4u);
}

TEST_F(UnixListenerTest, AnotherProcesssSocketIsNotRemoved) {
  auto first = Listener::Open(Parse("unix:" + path_));
  ASSERT_TRUE(first.ok()) << first.status();
  std::filesystem::rename(path_, path_ + ".old");  // keeps the inode, so that the next socket has another
  auto second = Listener::Open(Parse("unix:" + path_));
  ASSERT_TRUE(second.ok()) << second.status();
  first->reset();
  EXPECT_GE(ConnectTo(path_).get(), 0);
}

TEST_F(UnixListenerTest, APathThatIsTooLongIsAnErrorWithBothLengths) {
  auto listener = Listener::Open(Parse("unix:/" + std::string(200, 'x')));
  EXPECT_THAT(std::string(listener.status().message()), HasSubstr("201 bytes, expected at most 107"));
}

}  // namespace
}  // namespace hydrophone
