#include "tests/client/cpp/reserved_port.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace hydrophone::client {
namespace {

// A socket that is bound to the loopback port, or to a free one for 0.
int BoundSocket(int port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  EXPECT_EQ(::setsockopt(made, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  EXPECT_EQ(::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return made;
}

}  // namespace

ReservedPort::ReservedPort() : socket_(BoundSocket(0)) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
}

ReservedPort::~ReservedPort() { ::close(socket_); }

void ReservedPort::TurnOneCallerAway() const {
  const int listening = BoundSocket(port_);
  const timeval patience{.tv_sec = 30, .tv_usec = 0};
  EXPECT_EQ(::setsockopt(listening, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
  EXPECT_EQ(::listen(listening, 1), 0);
  const int caller = ::accept(listening, nullptr, nullptr);
  EXPECT_GE(caller, 0) << "waited 30 s in vain for a connection";
  ::close(caller);
  ::close(listening);
}

}  // namespace hydrophone::client
