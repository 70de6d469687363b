// What one caller has taken of its limits.
#ifndef HYDROPHONE_SERVER_ACCESS_ACCOUNT_H_
#define HYDROPHONE_SERVER_ACCESS_ACCOUNT_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/access/token_file.h"
#include "server/base/mutex.h"
#include "server/sched/clock.h"

namespace hydrophone {

// Thread-safe. Refusals are RESOURCE_EXHAUSTED (CALLER_LIMIT) with the time after which to try again, but for what can
// never fit, which is INVALID_ARGUMENT (TOO_LARGE).
class Account {
 public:
  // `clock` outlives this.
  Account(std::string name, CallerLimits limits, const Clock* clock);

  // The limits that hold from now on; what is taken stays taken.
  void SetLimits(const CallerLimits& limits) ABSL_LOCKS_EXCLUDED(mutex_);

  // A call begins; after OK it ends with a Leave.
  absl::Status Enter() ABSL_LOCKS_EXCLUDED(mutex_);
  // `bytes`: all that the call has held.
  void Leave(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  // A call under way asks for so many bytes of captures, and for so many tokens to be computed. Takes both or nothing.
  //
  // Tokens come from a bucket that fills with tokens_per_second and holds what a second brings. A call needs as many in
  // it as it has tokens, or a full bucket if it has more, and leaves a debt then: so every call has its turn, and in
  // the long run no more are computed than the limit says.
  absl::Status Take(uint64_t tokens, uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Status CheckBytes(uint64_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status TakeTokens(uint64_t tokens) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string name_;
  const Clock* const clock_;
  Mutex mutex_;
  CallerLimits limits_ ABSL_GUARDED_BY(mutex_);
  uint64_t open_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  double bucket_ ABSL_GUARDED_BY(mutex_);  // tokens; below 0: a debt
  absl::Time filled_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ACCESS_ACCOUNT_H_
