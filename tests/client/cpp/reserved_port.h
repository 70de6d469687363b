// A loopback port that no other process can take.
#ifndef HYDROPHONE_TESTS_CLIENT_CPP_RESERVED_PORT_H_
#define HYDROPHONE_TESTS_CLIENT_CPP_RESERVED_PORT_H_

namespace hydrophone::client {

// Holds a port by a socket that is bound to it and does not listen, so that connections are refused. A server of this
// process can still listen there, since the socket allows its port to be shared as gRPC's sockets do.
class ReservedPort {
 public:
  ReservedPort();
  ~ReservedPort();
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  int port() const { return port_; }

  // Waits for one connection and closes it at once; fails the test when none comes within 30 s.
  void TurnOneCallerAway() const;

 private:
  int socket_ = -1;
  int port_ = 0;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_TESTS_CLIENT_CPP_RESERVED_PORT_H_
