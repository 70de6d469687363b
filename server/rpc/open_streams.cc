#include "server/rpc/open_streams.h"

#include <utility>

#include "server/core/errors.h"

namespace hydrophone {

OpenStreams::Place OpenStreams::Add(std::weak_ptr<OpenStream> stream) {
  MutexLock lock(&mutex_);
  return streams_.insert(streams_.end(), {std::move(stream)});
}

void OpenStreams::Remove(Place place) {
  MutexLock lock(&mutex_);
  streams_.erase(place);
}

// A stream may be destroyed with the pointer to it, and removes itself then: so not with mutex_ held.
void OpenStreams::EndStalled(absl::Time now, absl::Duration longest) {
  std::vector<std::shared_ptr<OpenStream>> stalled, ended_long_ago;
  {
    MutexLock lock(&mutex_);
    for (Open& open : streams_) {
      std::shared_ptr<OpenStream> stream = open.stream.lock();
      if (stream == nullptr || stream->writing_since() > now - longest) continue;
      if (open.ended == absl::InfiniteFuture()) {
        open.ended = now;
        stalled.push_back(std::move(stream));
      } else if (open.ended <= now - longest) {
        ended_long_ago.push_back(std::move(stream));
      }
    }
  }
  for (const std::shared_ptr<OpenStream>& stream : stalled) stream->EndWith(Stalled());
  for (const std::shared_ptr<OpenStream>& stream : ended_long_ago) stream->Cut();
}

void OpenStreams::EndAll(const absl::Status& status) {
  std::vector<std::shared_ptr<OpenStream>> all;
  {
    MutexLock lock(&mutex_);
    for (const Open& open : streams_) {
      if (std::shared_ptr<OpenStream> stream = open.stream.lock()) all.push_back(std::move(stream));
    }
  }
  for (const std::shared_ptr<OpenStream>& stream : all) stream->EndWith(status);
}

}  // namespace hydrophone
