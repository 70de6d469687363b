// Connections that a test describes.
#ifndef HYDROPHONE_TESTS_SERVER_NET_FAKE_SOCKETS_H_
#define HYDROPHONE_TESTS_SERVER_NET_FAKE_SOCKETS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/net/sockets.h"

namespace hydrophone {

// Descriptor N is the socket of file 1000 + N and the peer "peer:N", until a test says otherwise.
class FakeSockets : public Sockets {
 public:
  SocketId Identify(int fd) const override { return {fd, 1000 + static_cast<uint64_t>(fd)}; }
  std::string Peer(int fd) const override { return peer.value_or("peer:" + std::to_string(fd)); }
  std::optional<Traffic> Look(const SocketId& socket) const override {
    auto found = traffic.find(socket.fd);
    if (found == traffic.end()) return std::nullopt;
    return found->second;
  }
  void Cut(const SocketId& socket) override {
    cut.push_back(socket.fd);
    traffic.erase(socket.fd);
  }
  void StopReading(const SocketId& socket) override { read_to_the_end.push_back(socket.fd); }

  std::map<int, Traffic> traffic;  // of the sockets that are open
  std::optional<std::string> peer;
  std::vector<int> cut;
  std::vector<int> read_to_the_end;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_SERVER_NET_FAKE_SOCKETS_H_
