#include "server/net/sockets.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

uint64_t FileOf(int fd) {
  struct stat file {};
  return fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode) ? file.st_ino : 0;
}

std::string Ipv4Peer(const in_addr& address, in_port_t port) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &address, text, sizeof(text));
  return absl::StrCat("ipv4:", text, ":", ntohs(port));
}

// The brackets, and the sign before a zone, are written as URIs have them.
std::string Ipv6Peer(const sockaddr_in6& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof(text));
  const std::string zone = peer.sin6_scope_id == 0 ? "" : absl::StrCat("%25", peer.sin6_scope_id);
  return absl::StrCat("ipv6:%5B", text, zone, "%5D:", ntohs(peer.sin6_port));
}

class RealSockets : public Sockets {
 public:
  SocketId Identify(int fd) const override { return {fd, FileOf(fd)}; }

  std::string Peer(int fd) const override {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return "";
    if (peer.ss_family == AF_INET) {
      const auto& internet = reinterpret_cast<const sockaddr_in&>(peer);
      return Ipv4Peer(internet.sin_addr, internet.sin_port);
    }
    if (peer.ss_family != AF_INET6) return "unix:";  // clients bind no path
    const auto& internet = reinterpret_cast<const sockaddr_in6&>(peer);
    if (!IN6_IS_ADDR_V4MAPPED(&internet.sin6_addr)) return Ipv6Peer(internet);
    in_addr mapped{};
    memcpy(&mapped, &internet.sin6_addr.s6_addr[12], sizeof(mapped));
    return Ipv4Peer(mapped, internet.sin6_port);
  }

  std::optional<Traffic> Look(const SocketId& socket) const override {
    if (FileOf(socket.fd) != socket.file) return std::nullopt;
    tcp_info info{};
    socklen_t size = sizeof(info);
    if (getsockopt(socket.fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return Traffic{};
    return Traffic{info.tcpi_bytes_received, info.tcpi_bytes_acked, info.tcpi_notsent_bytes};
  }

  void Cut(const SocketId& socket) override {
    if (FileOf(socket.fd) != socket.file) return;
    // shutdown would leave gRPC to read what has arrived, which may be megabytes. Connecting to no address resets the
    // connection, and drops them.
    sockaddr none{};
    none.sa_family = AF_UNSPEC;
    if (connect(socket.fd, &none, sizeof(none)) != 0) shutdown(socket.fd, SHUT_RDWR);
  }

  void StopReading(const SocketId& socket) override {
    if (FileOf(socket.fd) == socket.file) shutdown(socket.fd, SHUT_RD);
  }
};

}  // namespace

Sockets& SystemSockets() {
  static RealSockets* sockets = new RealSockets;
  return *sockets;
}

}  // namespace hydrophone
