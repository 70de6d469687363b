// Accepts connections and hands them to gRPC, whose own acceptor never accepts again once descriptors were used up.
#ifndef HYDROPHONE_SERVER_NET_ACCEPTOR_H_
#define HYDROPHONE_SERVER_NET_ACCEPTOR_H_

#include <functional>
#include <memory>
#include <thread>

#include "server/net/connections.h"
#include "server/net/listener.h"
#include "server/sched/clock.h"

namespace hydrophone {

// How long a connection waits to be accepted when not even the spare descriptor is left.
inline constexpr absl::Duration kAcceptRetry = absl::Milliseconds(200);

// Accepts from Start to its destruction. A connection that finds no room, or no descriptor, is closed at once, so that
// its client learns of it.
class Acceptor {
 public:
  // Takes a descriptor over, with the listening one beside it.
  using HandOver = std::function<void(int listener, int connection)>;

  // `connections` and `clock` outlive this.
  Acceptor(std::unique_ptr<Listener> listener, Connections* connections, const Clock* clock);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  int port() const { return listener_->port(); }

  // Hands every connection over, on a thread of its own. To be called once.
  void Start(HandOver hand_over);

 private:
  void Loop();
  // Accepts what waits at this listening socket; false when it has to be tried again later.
  bool AcceptFrom(int listener);
  void Admit(int listener, int connection);
  // Closes one waiting connection with the help of the spare descriptor; false when there is none.
  bool TurnAway(int listener);

  const std::unique_ptr<Listener> listener_;
  Connections* const connections_;
  const Clock* const clock_;
  HandOver hand_over_;
  int spare_;  // a descriptor to let go of when there is no other
  int ended_;  // readable once the acceptor ends
  std::thread thread_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_NET_ACCEPTOR_H_
