// How long a batch waits for more jobs before it starts.
#ifndef HYDROPHONE_SERVER_SCHED_LINGER_H_
#define HYDROPHONE_SERVER_SCHED_LINGER_H_

#include <cstddef>

#include "absl/time/time.h"

namespace hydrophone {

// All callers of a batch get its end at about the same instant, and callers in a loop ask again within about a
// millisecond of each other. If batches never waited, the first of these requests would run in a batch of its own, the
// others would wait for its end, and so on for ever; if a batch waited for all of them, the engine would stand still
// until the last caller is back. In between, one half is computed while the other half reads its answers and asks
// again:
//
//   at once:    [ 1 ][ 2 ... 32 ][ 1 ][ 2 ... 32 ]
//   lingering:  [ 1 ... 16 ][ 17 ... 32 ][ 1 ... 16 ]
//
// So a batch waits while fewer jobs are queued than half of the known ones: the jobs of the last batch, and the jobs
// that waited beside it. It waits `longest` at most, from when its first job was queued or, if later, from when the
// engine was free. One caller alone, or two in turn, never wait, and neither does a batch when as many jobs came during
// the last batch as were in it.
//
// Not thread-safe.
class Linger {
 public:
  explicit Linger(absl::Duration longest) : longest_(longest) {}

  // Takes note that a batch of `jobs` jobs ended at `now`, and that `others` jobs waited when the first of them was
  // told its end.
  void BatchDone(size_t jobs, size_t others, absl::Time now);

  // Until when a batch waits for more jobs if `waiting` are queued, the first of them since `oldest`. A time that has
  // passed: it starts at once.
  absl::Time Until(size_t waiting, absl::Time oldest) const;

 private:
  const absl::Duration longest_;
  size_t known_ = 0;
  absl::Time free_since_ = absl::InfinitePast();
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_LINGER_H_
