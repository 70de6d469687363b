// The sockets that listen at an address.
#ifndef HYDROPHONE_SERVER_NET_LISTENER_H_
#define HYDROPHONE_SERVER_NET_LISTENER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/address.h"

namespace hydrophone {

// Listens from Open to its destruction, which removes the path of a socket in the file system.
class Listener {
 public:
  // One socket for each address that the host's name stands for, all with one port. "0.0.0.0" and "::" both mean every
  // address of the machine, of IPv4 and of IPv6 where there is one. A path where a socket lies on which no process
  // listens any more is taken over. UNAVAILABLE, naming the address and the reason, when it cannot be had.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(const Address& address);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Non-blocking.
  const std::vector<int>& sockets() const { return sockets_; }
  // The address's, or the free one that was taken for port 0; 0 for a socket in the file system.
  int port() const { return port_; }

 private:
  Listener() = default;
  absl::Status OpenUnix(const Address& address);
  absl::Status OpenInternet(const Address& address);

  std::vector<int> sockets_;
  int port_ = 0;
  std::string unix_path_;    // to be removed; empty: none
  ino_t unix_path_ino_ = 0;  // whose it is, since another process may have put its own socket there since
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_NET_LISTENER_H_
