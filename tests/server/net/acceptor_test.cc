#include "server/net/acceptor.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "tests/server/net/loopback.h"

namespace hydrophone {
namespace {

class AcceptorTest : public testing::Test {
 protected:
  void Start(int most) {
    connections_.emplace(&SystemSockets(), most, [](const std::string&, absl::string_view) {});
    acceptor_.emplace(Listener::Open(ParseAddress("127.0.0.1:0").value()).value(), &*connections_, &RealClock());
    acceptor_->Start([this](int, int connection) {
      MutexLock lock(&mutex_);
      accepted_.emplace_back(connection);
    });
  }
  Handle Connect() { return ConnectTo(acceptor_->port()); }
  size_t Accepted() {
    MutexLock lock(&mutex_);
    return accepted_.size();
  }
  void AwaitAccepted(size_t count) {
    PollOrFail("an accepted connection", [&] { return Accepted() == count; });
  }
  void CloseAccepted() {
    MutexLock lock(&mutex_);
    accepted_.clear();
  }

  Mutex mutex_;
  std::vector<Handle> accepted_ ABSL_GUARDED_BY(mutex_);
  std::optional<Connections> connections_;
  std::optional<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, HandsOverWhatComes) {
  Start(10);
  Handle one = Connect();
  Handle two = Connect();
  AwaitAccepted(2);
  EXPECT_EQ(connections_->size(), 2u);
  PollOrFail("the end of a greeting", [&] { return !connections_->GreetedSince(RealClock().Now()).has_value(); });
}

TEST_F(AcceptorTest, ClosesWhatFindsNoRoomAndAcceptsWhenThereIsSome) {
  Start(1);
  Handle first = Connect();
  AwaitAccepted(1);
  Handle refused = Connect();
  AwaitClosed(refused);
  CloseAccepted();
  // The table is searched for room every tenth of a second.
  PollOrFail("room", [&] {
    Handle again = Connect();
    pollfd watched = {again.get(), POLLIN, 0};
    return poll(&watched, 1, 50) == 0;
  });
}

// Leaves this process no descriptor to open, as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    Handle next(dup(0));
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next.get());
    next.Close();
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(AcceptorTest, TurnsAwayWhatFindsNoDescriptorAndAcceptsWhenThereIsOne) {
  Start(10);
  Handle client(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<uint16_t>(acceptor_->port()));
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  {
    NoDescriptors none;
    ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&where), sizeof(where)), 0);
    AwaitClosed(client);
    EXPECT_EQ(Accepted(), 0u);
  }
  Handle next = Connect();
  AwaitAccepted(1);
}

}  // namespace
}  // namespace hydrophone
