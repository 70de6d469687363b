// What the system knows about a connection's socket, and how a connection is cut.
//
// gRPC owns the descriptors and closes them when it likes. The number may then stand for another file, so each question
// names the file that is meant, and is answered for no other. A second descriptor of our own would keep closed
// connections open, and cost as many descriptors again.
#ifndef HYDROPHONE_SERVER_NET_SOCKETS_H_
#define HYDROPHONE_SERVER_NET_SOCKETS_H_

#include <cstdint>
#include <optional>
#include <string>

namespace hydrophone {

// A socket: its descriptor, and the number of the file behind it, which no other socket has.
struct SocketId {
  int fd = -1;
  uint64_t file = 0;
};

// Bytes since the connection began.
struct Traffic {
  uint64_t received = 0;
  uint64_t acknowledged = 0;  // sent, and known to have arrived
  uint64_t unsent = 0;        // waiting to be sent
};

// Thread-safe.
class Sockets {
 public:
  virtual ~Sockets() = default;

  // The socket behind a descriptor that is open.
  virtual SocketId Identify(int fd) const = 0;

  // The peer's address as grpc::ServerContext::peer() writes it.
  virtual std::string Peer(int fd) const = 0;

  // Nothing once the socket is closed. Zeros for a socket in the file system, which counts nothing.
  virtual std::optional<Traffic> Look(const SocketId& socket) const = 0;

  // Ends the connection for both sides at once; what has arrived and was not read is dropped. Does nothing once the
  // socket is closed.
  virtual void Cut(const SocketId& socket) = 0;

  // Makes what reads the connection see its end; what is to be sent is still sent. Does nothing once the socket is
  // closed.
  virtual void StopReading(const SocketId& socket) = 0;
};

// The system's. Lives as long as the program.
Sockets& SystemSockets();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_NET_SOCKETS_H_
