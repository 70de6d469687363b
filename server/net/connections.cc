#include "server/net/connections.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

// How often a full table is searched for connections that were closed.
constexpr absl::Duration kBetweenSearches = absl::Milliseconds(100);

}  // namespace

Connections::Connections(Sockets* sockets, int most, OnCut on_cut)
    : sockets_(sockets), most_(static_cast<size_t>(most)), on_cut_(std::move(on_cut)) {}

std::optional<uint64_t> Connections::Add(int fd, absl::Time now) {
  Connection connection;
  connection.socket = sockets_->Identify(fd);
  connection.peer = sockets_->Peer(fd);
  connection.greeted_since = now;
  MutexLock lock(&mutex_);
  if (open_.size() >= most_ && now - looked_for_room_ >= kBetweenSearches) {
    looked_for_room_ = now;
    ForgetClosed();
  }
  if (open_.size() >= most_) return std::nullopt;
  Peer& peer = peers_[connection.peer];
  ++peer.connections;
  connection.begun = peer.begun;
  const uint64_t number = next_number_++;
  open_.emplace(number, std::move(connection));
  return number;
}

void Connections::Greeted(uint64_t number) {
  MutexLock lock(&mutex_);
  auto found = open_.find(number);
  if (found != open_.end()) found->second.greeted_since = absl::InfiniteFuture();
}

std::optional<uint64_t> Connections::GreetedSince(absl::Time time) const {
  MutexLock lock(&mutex_);
  // One is greeted at a time, and none has come since.
  if (open_.empty() || open_.rbegin()->second.greeted_since > time) return std::nullopt;
  return open_.rbegin()->first;
}

void Connections::CallBegun(absl::string_view peer) {
  std::vector<uint64_t> crowded;
  {
    MutexLock lock(&mutex_);
    auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    ++found->second.begun;
    if (++found->second.open > kMostCallsOfAConnection * found->second.connections) crowded = OfPeer(peer);
  }
  for (uint64_t number : crowded) {
    Cut(number, absl::StrCat("more than ", kMostCallsOfAConnection, " calls begun and not finished"));
  }
}

void Connections::CallEnded(absl::string_view peer) {
  MutexLock lock(&mutex_);
  auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  if (found->second.open > 0) --found->second.open;
  if (found->second.open == 0 && found->second.connections == 0) peers_.erase(found);
}

std::vector<Activity> Connections::Survey() {
  MutexLock lock(&mutex_);
  std::vector<Activity> all;
  all.reserve(open_.size());
  for (auto at = open_.begin(); at != open_.end();) {
    if (std::optional<Traffic> now = sockets_->Look(at->second.socket)) {
      all.push_back(Measure(at->first, *now, &at->second));
      ++at;
    } else {
      Forget(at->second);
      at = open_.erase(at);
    }
  }
  return all;
}

Activity Connections::Measure(uint64_t number, const Traffic& now, Connection* connection) {
  const bool takes = now.unsent == 0 || now.acknowledged != connection->seen.acknowledged;
  if (takes) connection->heard_at = now.received;
  const uint64_t begun = peers_[connection->peer].begun;
  const Activity activity{.number = number,
                          .received = now.received - connection->seen.received,
                          .begun = begun - connection->begun,
                          .deaf = now.received - connection->heard_at > kMostBytesUnread};
  connection->seen = now;
  connection->begun = begun;
  return activity;
}

void Connections::Cut(uint64_t number, absl::string_view reason) {
  std::string peer;
  {
    MutexLock lock(&mutex_);
    auto found = open_.find(number);
    if (found == open_.end()) return;
    sockets_->Cut(found->second.socket);
    peer = found->second.peer;
    Forget(found->second);
    open_.erase(found);
  }
  on_cut_(peer, reason);
}

void Connections::StopReading() {
  MutexLock lock(&mutex_);
  for (const auto& [number, connection] : open_) sockets_->StopReading(connection.socket);
}

size_t Connections::size() const {
  MutexLock lock(&mutex_);
  return open_.size();
}

void Connections::ForgetClosed() {
  for (auto at = open_.begin(); at != open_.end();) {
    if (sockets_->Look(at->second.socket).has_value()) {
      ++at;
    } else {
      Forget(at->second);
      at = open_.erase(at);
    }
  }
}

void Connections::Forget(const Connection& connection) {
  auto peer = peers_.find(connection.peer);
  if (peer == peers_.end()) return;
  --peer->second.connections;
  if (peer->second.connections == 0 && peer->second.open == 0) peers_.erase(peer);
}

std::vector<uint64_t> Connections::OfPeer(absl::string_view peer) const {
  std::vector<uint64_t> numbers;
  for (const auto& [number, connection] : open_) {
    if (connection.peer == peer) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace hydrophone
