// Whether it is worth a moment to wait for company before a batch starts.
#ifndef HYDROPHONE_SERVER_SCHED_LINGER_H_
#define HYDROPHONE_SERVER_SCHED_LINGER_H_

#include <cstddef>

#include "absl/time/time.h"

namespace hydrophone {

// All callers of a batch hear the end of it at the same instant, and those in a loop ask again within about a
// millisecond of each other. Without a moment's patience the first of them runs in a batch of its own while the others
// wait for its end, and so on for ever:
//
//   at once:  [ 1 ][ 2 ... 32 ][ 1 ][ 2 ... 32 ]         lingering:  [ 1 ... 32 ]·[ 1 ... 32 ]·[ 1 ... 32 ]
//
// So, after a batch of several jobs, the next one waits until as many are there as are known of: those of that batch,
// and those who waited beside it. It waits `longest` at most, from when the first of it was queued or, if later, from
// when the engine was free. After a batch of one it does not wait: a caller who is alone never pays for it.
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
  size_t known_ = 0;  // how many jobs to wait for
  absl::Time free_since_ = absl::InfinitePast();
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_LINGER_H_
