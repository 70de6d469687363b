// How far a bulk job is: tokens and bytes a second, and the time that is left.
#ifndef HYDROPHONE_CLIENT_CPP_BULK_METER_H_
#define HYDROPHONE_CLIENT_CPP_BULK_METER_H_

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"

namespace hydrophone::client {

// Writes a line now and then, seldomer as the job goes on, and one at the end if there were any. Thread-safe.
class Meter {
 public:
  // `there` of `texts` texts were done before. `out` outlives this.
  Meter(uint64_t texts, uint64_t there, std::ostream* out, std::function<absl::Time()> now = absl::Now);

  // Counts a shard that was written.
  void Add(uint64_t texts, uint64_t tokens, uint64_t bytes);

  // "1024 of 4096 texts, 12800 tokens/s, 1.5 GB, 0:07 left"
  std::string Line() const;

 private:
  std::string LineOf(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint64_t texts_;
  const uint64_t there_;
  std::ostream& out_;
  const std::function<absl::Time()> now_;
  const absl::Time begun_;
  mutable Mutex mutex_;
  absl::Duration pause_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_ ABSL_GUARDED_BY(mutex_);  // when the next line is due
  bool shown_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t done_ ABSL_GUARDED_BY(mutex_) = 0;  // texts
  uint64_t tokens_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

// 1500 bytes are "1.5 kB".
std::string SizeText(uint64_t bytes);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_BULK_METER_H_
