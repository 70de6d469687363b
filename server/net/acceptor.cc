#include "server/net/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

namespace hydrophone {
namespace {

int OpenSpare() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool NoneLeft(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

}  // namespace

Acceptor::Acceptor(std::unique_ptr<Listener> listener, Connections* connections, const Clock* clock)
    : listener_(std::move(listener)),
      connections_(connections),
      clock_(clock),
      spare_(OpenSpare()),
      ended_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Acceptor::~Acceptor() {
  eventfd_write(ended_, 1);
  if (thread_.joinable()) thread_.join();
  if (spare_ >= 0) close(spare_);
  close(ended_);
}

void Acceptor::Start(HandOver hand_over) {
  hand_over_ = std::move(hand_over);
  thread_ = std::thread([this] { Loop(); });
}

void Acceptor::Loop() {
  std::vector<pollfd> watched = {{ended_, POLLIN, 0}};
  for (int fd : listener_->sockets()) watched.push_back({fd, POLLIN, 0});
  while (true) {
    if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
    if (watched[0].revents != 0) return;
    bool later = false;
    for (size_t i = 1; i < watched.size(); ++i) {
      if (watched[i].revents != 0 && !AcceptFrom(watched[i].fd)) later = true;
    }
    if (later) poll(watched.data(), 1, static_cast<int>(absl::ToInt64Milliseconds(kAcceptRetry)));
  }
}

bool Acceptor::AcceptFrom(int listener) {
  if (spare_ < 0) spare_ = OpenSpare();
  const int connection = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection >= 0) {
    Admit(listener, connection);
    return true;
  }
  return !NoneLeft(errno) || TurnAway(listener);  // other errors are of connections that are gone already
}

void Acceptor::Admit(int listener, int connection) {
  const std::optional<uint64_t> number = connections_->Add(connection, clock_->Now());
  if (!number.has_value()) {
    close(connection);
    return;
  }
  hand_over_(listener, connection);
  connections_->Greeted(*number);
}

bool Acceptor::TurnAway(int listener) {
  if (spare_ < 0) return false;
  close(std::exchange(spare_, -1));
  const int connection = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection >= 0) close(connection);
  spare_ = OpenSpare();
  return connection >= 0;
}

}  // namespace hydrophone
