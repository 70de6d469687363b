// The streams that are open, so that those whose callers do not read can be ended.
#ifndef HYDROPHONE_SERVER_RPC_OPEN_STREAMS_H_
#define HYDROPHONE_SERVER_RPC_OPEN_STREAMS_H_

#include <list>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"

namespace hydrophone {

// A stream as OpenStreams sees it. Thread-safe.
class OpenStream {
 public:
  virtual ~OpenStream() = default;

  // Since when gRPC has been sending the message under way; a time in the far future when none is.
  virtual absl::Time writing_since() const = 0;
  // Ends the stream with this status, as soon as the message under way is sent, and frees everything that waits to be.
  virtual void EndWith(const absl::Status& status) = 0;
  // Breaks the stream off, and frees the message under way too: the caller gets CANCELLED.
  virtual void Cut() = 0;
};

// Thread-safe.
class OpenStreams {
 public:
  struct Open {
    std::weak_ptr<OpenStream> stream;
    absl::Time ended = absl::InfiniteFuture();  // for not being read
  };
  using Place = std::list<Open>::iterator;

  Place Add(std::weak_ptr<OpenStream> stream) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(Place place) ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends the streams of which the caller has taken less than one message for `longest`: RESOURCE_EXHAUSTED (STALLED).
  // The caller gets the rest of that message and the status once it reads again; the message keeps the memory of its
  // capture. Cuts those that were ended so long ago and are not read yet.
  void EndStalled(absl::Time now, absl::Duration longest) ABSL_LOCKS_EXCLUDED(mutex_);
  void EndAll(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Mutex mutex_;
  std::list<Open> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_OPEN_STREAMS_H_
