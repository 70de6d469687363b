// The connections that are open: what each sends, and how many calls its peer has begun and not finished.
#ifndef HYDROPHONE_SERVER_NET_CONNECTIONS_H_
#define HYDROPHONE_SERVER_NET_CONNECTIONS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/net/sockets.h"

namespace hydrophone {

// Calls that one connection may have begun and not finished. gRPC lets a client have 256 open at a time, but forgets
// those that the client has reset, whose work is still to be undone here. A client may so reset all and begin as many
// again; and one connection cannot take all calls that may be open (1,024 by default).
inline constexpr int64_t kMostCallsOfAConnection = 600;

// Bytes that a connection which does not read its answers may still send.
inline constexpr uint64_t kMostBytesUnread = 64 << 10;

// What a connection did since the Survey before.
struct Activity {
  uint64_t number = 0;    // the connection's
  uint64_t received = 0;  // bytes
  uint64_t begun = 0;     // calls, of all connections with its peer
  bool deaf = false;      // it sends on and on, and takes nothing of what it is sent
};

// Thread-safe.
class Connections {
 public:
  // At most `most` are open at once. `sockets` outlives this. `on_cut` is told the peer and the reason of each
  // connection that is cut, on the thread that cuts it and with no lock held.
  using OnCut = std::function<void(const std::string& peer, absl::string_view reason)>;
  Connections(Sockets* sockets, int most, OnCut on_cut);

  // Takes on a connection that was accepted and returns its number; nothing when too many are open.
  std::optional<uint64_t> Add(int fd, absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);
  // gRPC has taken the connection over; until then, it is being greeted.
  void Greeted(uint64_t number) ABSL_LOCKS_EXCLUDED(mutex_);
  // The connection that has been greeted since `time` or longer, if any.
  std::optional<uint64_t> GreetedSince(absl::Time time) const ABSL_LOCKS_EXCLUDED(mutex_);

  // A call of this peer began, or ended. The connections of a peer with too many calls are cut. Connections in the file
  // system have one peer together ("unix:"), and together as many calls as they have one by one.
  void CallBegun(absl::string_view peer) ABSL_LOCKS_EXCLUDED(mutex_);
  void CallEnded(absl::string_view peer) ABSL_LOCKS_EXCLUDED(mutex_);

  // What each open connection did since the Survey before; forgets those that are closed.
  std::vector<Activity> Survey() ABSL_LOCKS_EXCLUDED(mutex_);

  // Cuts a connection, if it is still there. `reason`: for the log.
  void Cut(uint64_t number, absl::string_view reason) ABSL_LOCKS_EXCLUDED(mutex_);

  // Nothing more is read of any connection. Calls that their clients begin from now on end with the connection, which
  // clients take for UNAVAILABLE.
  void StopReading() ABSL_LOCKS_EXCLUDED(mutex_);

  // How many are open, as far as is known: Survey finds those that were closed.
  size_t size() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Connection {
    SocketId socket;
    std::string peer;
    absl::Time greeted_since;  // the infinite future once it is greeted
    Traffic seen;              // by the latest Survey
    uint64_t heard_at = 0;     // bytes received when it was last seen to take what it is sent
    uint64_t begun = 0;        // calls of its peer, as the latest Survey saw them
  };
  struct Peer {
    uint64_t begun = 0;
    int64_t open = 0;
    int64_t connections = 0;
  };

  Activity Measure(uint64_t number, const Traffic& now, Connection* connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetClosed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(const Connection& connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<uint64_t> OfPeer(absl::string_view peer) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Sockets* const sockets_;
  const size_t most_;
  const OnCut on_cut_;
  mutable Mutex mutex_;
  uint64_t next_number_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Connection> open_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Peer> peers_ ABSL_GUARDED_BY(mutex_);
  absl::Time looked_for_room_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_NET_CONNECTIONS_H_
