// Whether it is worth a moment to wait for company before a batch starts.
#ifndef HYDROPHONE_SERVER_SCHED_LINGER_H_
#define HYDROPHONE_SERVER_SCHED_LINGER_H_

#include <cstddef>

#include "absl/time/time.h"

namespace hydrophone {

// All callers of a batch hear the end of it at about the same instant, and those in a loop ask again within about a
// millisecond of each other. Without a moment's patience the first of them runs in a batch of its own, for whose end
// the others wait, and so on for ever; with too much of it the engine stands still until the last one is back. In
// between, one half is computed while the other half reads its answers and asks again:
//
//   at once:    [ 1 ][ 2 ... 32 ][ 1 ][ 2 ... 32 ]
//   lingering:  [ 1 ... 16 ][ 17 ... 32 ][ 1 ... 16 ]
//
// So a batch waits while less than half of the jobs are there that the engine knows of: those of the last batch, and
// those who waited beside it. It waits `longest` at most, from when its first job was queued or, if later, from when
// the engine was free. One caller alone, or two in turn, never wait; nor does anybody while as many have come during a
// batch as are in it.
//
// Not thread-safe.
class Linger {
 public:
  explicit Linger(absl::Duration longest) : longest_(longest) {}

  // A batch of so many jobs ended at `now`; so many others waited when the first of its jobs heard the end.
  void BatchDone(size_t jobs, size_t others, absl::Time now);

  // Until when a batch is to wait for company, with `waiting` jobs there, the first of them since `oldest`; a time that
  // has passed means not at all.
  absl::Time Until(size_t waiting, absl::Time oldest) const;

 private:
  const absl::Duration longest_;
  size_t known_ = 0;
  absl::Time free_since_ = absl::InfinitePast();
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_LINGER_H_
