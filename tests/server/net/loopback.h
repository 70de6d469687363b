// Connections to a listener of the test's own, as the system makes them.
#ifndef HYDROPHONE_TESTS_SERVER_NET_LOOPBACK_H_
#define HYDROPHONE_TESTS_SERVER_NET_LOOPBACK_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "tests/fakes/await.h"

namespace hydrophone {

// A descriptor, closed at its end.
class Handle {
 public:
  explicit Handle(int fd) : fd_(fd) {}
  Handle(Handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() { Close(); }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

// A connection to this port of the loopback; -1 when it is refused.
inline Handle ConnectTo(int port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<uint16_t>(port));
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Handle client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(client.get(), reinterpret_cast<sockaddr*>(&where), sizeof(where)) != 0) client.Close();
  return client;
}

// The same, of IPv6's loopback.
inline Handle ConnectTo6(int port) {
  sockaddr_in6 where{};
  where.sin6_family = AF_INET6;
  where.sin6_port = htons(static_cast<uint16_t>(port));
  where.sin6_addr = in6addr_loopback;
  Handle client(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(client.get(), reinterpret_cast<sockaddr*>(&where), sizeof(where)) != 0) client.Close();
  return client;
}

// The same, of a path.
inline Handle ConnectTo(const std::string& path) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  strncpy(where.sun_path, path.c_str(), sizeof(where.sun_path) - 1);
  Handle client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(client.get(), reinterpret_cast<sockaddr*>(&where), sizeof(where)) != 0) client.Close();
  return client;
}

// The connection that has come to a listening socket.
inline Handle AcceptFrom(int listener) {
  pollfd watched = {listener, POLLIN, 0};
  if (poll(&watched, 1, static_cast<int>(test_patience.count())) != 1) FailToAwait("a connection");
  return Handle(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

// Waits until the other side has closed this connection.
inline void AwaitClosed(const Handle& connection) {
  pollfd watched = {connection.get(), POLLIN, 0};
  char byte = 0;
  if (poll(&watched, 1, static_cast<int>(test_patience.count())) != 1 || recv(connection.get(), &byte, 1, 0) > 0) {
    FailToAwait("a connection's end");
  }
}

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_SERVER_NET_LOOPBACK_H_
