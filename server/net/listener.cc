#include "server/net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

// Connections that the system completes before they are accepted; it takes less where net.core.somaxconn says so.
constexpr int kBacklog = 4096;

// Without an answer for so long to what was sent, the system ends a connection; as long as rpc's keepalive waits.
constexpr int kUserTimeoutMilliseconds = 20'000;

absl::Status CannotListen(const Address& address, const std::string& why) {
  return absl::UnavailableError(absl::StrCat("cannot listen on \"", address.text(), "\": ", why));
}

std::string WhyNot(int error) {
  return error == EADDRINUSE ? "is the address free? (address already in use)" : strerror(error);
}

// Closes the descriptor unless it is released.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int NewSocket(int family) { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

void Set(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof(value)); }

// A socket that listens there, or -1 with errno. Connections inherit its options. The port is not shared with another
// process (SO_REUSEPORT), which would get half of the connections instead of failing to start.
int ListenAt(const sockaddr_storage& where, socklen_t size) {
  Descriptor fd(NewSocket(where.ss_family));
  if (fd.get() < 0) return -1;
  Set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  Set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  Set(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMilliseconds);
  if (where.ss_family == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6&>(where);
    Set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr) ? 0 : 1);
  }
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&where), size) != 0) return -1;
  if (listen(fd.get(), kBacklog) != 0) return -1;
  return fd.release();
}

void SetPort(sockaddr_storage* where, int port) {
  const in_port_t value = htons(static_cast<uint16_t>(port));
  if (where->ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(where)->sin6_port = value;
  } else {
    reinterpret_cast<sockaddr_in*>(where)->sin_port = value;
  }
}

int PortOf(int fd) {
  sockaddr_storage where{};
  socklen_t size = sizeof(where);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) != 0) return 0;
  return ntohs(where.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(where).sin6_port
                                           : reinterpret_cast<sockaddr_in&>(where).sin_port);
}

struct SocketAddress {
  sockaddr_storage where{};
  socklen_t size = 0;
};

bool IsWildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

// The addresses that a host's name stands for, each once.
absl::StatusOr<std::vector<SocketAddress>> Resolve(const Address& address, const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (int error = getaddrinfo(host.c_str(), "0", &hints, &found); error != 0) {
    return CannotListen(address, gai_strerror(error));
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    SocketAddress one;
    one.size = each->ai_addrlen;
    memcpy(&one.where, each->ai_addr, each->ai_addrlen);
    const auto same = [&one](const SocketAddress& other) {
      return other.size == one.size && memcmp(&other.where, &one.where, one.size) == 0;
    };
    if (std::none_of(addresses.begin(), addresses.end(), same)) addresses.push_back(one);
  }
  freeaddrinfo(found);
  return addresses;
}

// Whether this machine lacks such an address, as one without IPv6 lacks "::1", which "localhost" stands for too.
bool IsMissing(int error) { return error == EADDRNOTAVAIL || error == EAFNOSUPPORT; }

// Whether a process listens on the socket at this path.
bool IsListenedTo(const sockaddr_un& where) {
  Descriptor fd(NewSocket(AF_UNIX));
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0 || errno == EAGAIN;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(const Address& address) {
  auto listener = absl::WrapUnique(new Listener);
  absl::Status opened = address.is_unix() ? listener->OpenUnix(address) : listener->OpenInternet(address);
  if (!opened.ok()) return opened;
  return listener;
}

Listener::~Listener() {
  for (int fd : sockets_) close(fd);
  struct stat there {};
  if (!unix_path_.empty() && lstat(unix_path_.c_str(), &there) == 0 && there.st_ino == unix_path_ino_) {
    unlink(unix_path_.c_str());
  }
}

absl::Status Listener::OpenInternet(const Address& address) {
  // A socket on "::" takes IPv4's connections as well.
  const std::string host = IsWildcard(address.host) ? "::" : address.host;
  absl::StatusOr<std::vector<SocketAddress>> addresses = Resolve(address, host);
  if (!addresses.ok()) return addresses.status();
  if (IsWildcard(address.host)) {
    absl::StatusOr<std::vector<SocketAddress>> version4 = Resolve(address, "0.0.0.0");
    if (version4.ok()) addresses->insert(addresses->end(), version4->begin(), version4->end());
  }
  port_ = address.port;
  int missing = 0;
  for (SocketAddress& each : *addresses) {
    SetPort(&each.where, port_);
    const int fd = ListenAt(each.where, each.size);
    if (fd < 0 && IsMissing(errno)) {
      missing = errno;
      continue;
    }
    if (fd < 0) return CannotListen(address, WhyNot(errno));
    sockets_.push_back(fd);
    port_ = PortOf(fd);
    if (IsWildcard(address.host)) break;
  }
  return sockets_.empty() ? CannotListen(address, WhyNot(missing)) : absl::OkStatus();
}

absl::Status Listener::OpenUnix(const Address& address) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (address.unix_path.size() >= sizeof(where.sun_path)) {
    return CannotListen(address, absl::StrCat("got a path of ", address.unix_path.size(), " bytes, expected at most ",
                                              sizeof(where.sun_path) - 1));
  }
  memcpy(where.sun_path, address.unix_path.data(), address.unix_path.size());
  struct stat there {};
  if (lstat(where.sun_path, &there) == 0 && S_ISSOCK(there.st_mode)) {
    if (IsListenedTo(where)) return CannotListen(address, WhyNot(EADDRINUSE));
    unlink(where.sun_path);
  }
  Descriptor fd(NewSocket(AF_UNIX));
  if (fd.get() < 0 || bind(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)) != 0) {
    return CannotListen(address, WhyNot(errno));
  }
  if (lstat(where.sun_path, &there) == 0) unix_path_ino_ = there.st_ino;
  unix_path_ = address.unix_path;
  if (listen(fd.get(), kBacklog) != 0) return CannotListen(address, WhyNot(errno));
  sockets_.push_back(fd.release());
  return absl::OkStatus();
}

}  // namespace hydrophone
