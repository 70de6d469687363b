// Keeps the server alive under abuse: finds the connection that harms it, cuts it, and gives memory back afterwards.
#ifndef HYDROPHONE_SERVER_NET_GUARD_H_
#define HYDROPHONE_SERVER_NET_GUARD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/net/call_census.h"
#include "server/net/connections.h"
#include "server/net/heartbeat.h"
#include "server/net/process_memory.h"

namespace hydrophone {

// Memory beside the weights and the response budget, in bytes, above which connections are cut.
inline constexpr uint64_t kSpareBytes = 256 << 20;

// A connection below both has not been loud since the survey before, and is not cut for what the server suffers.
inline constexpr uint64_t kLoudBytes = 64 << 10;
inline constexpr uint64_t kLoudCalls = 100;

// How long gRPC's threads may leave a call of the server to itself unanswered, and how long a connection may take to
// be handed over.
inline constexpr absl::Duration kLongestSilence = absl::Milliseconds(700);
inline constexpr absl::Duration kLongestGreeting = absl::Milliseconds(500);

// Without an alarm, the connections are surveyed so often.
inline constexpr absl::Duration kBetweenSurveys = absl::Seconds(1);

// Freed memory is given back when no call has been open for so long, again every so often, and twice after connections
// were cut.
inline constexpr absl::Duration kIdle = absl::Seconds(5);
inline constexpr absl::Duration kIdleAgain = absl::Seconds(10);
inline constexpr absl::Duration kAfterCut = absl::Seconds(3);
inline constexpr absl::Duration kLongAfterCut = absl::Seconds(12);

struct GuardParts {
  Connections* connections = nullptr;
  const CallCensus* census = nullptr;
  Heartbeat* heartbeat = nullptr;
  ProcessMemory* memory = nullptr;
  std::function<int()> open_calls;  // of the service
  uint64_t budget_bytes = 0;        // what the service may hold for its calls
};

// Thread-safe.
class Guard {
 public:
  // What the process holds now is what it holds at rest: the weights, among others.
  explicit Guard(GuardParts parts);

  // Looks around and does what is needed. To be called every few hundredths of a second.
  void Look(absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);

  // The same, for the calls that wait alone: what the census's alarm calls, on the thread that reads a connection.
  // Until another thread had a turn, that thread would read a thousand calls more.
  void LookAtCalls(absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // What the server suffers from; empty when it does not.
  std::string Complaint(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string ComplaintOfCalls() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string ComplaintOfMemory() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CutDeaf(const std::vector<Activity>& activities) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Cuts the loudest connection, and those that are at least half as loud.
  void CutLoudest(const std::vector<Activity>& activities, absl::string_view complaint)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Cut(uint64_t number, absl::string_view reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Gives memory back when it is time.
  void Tidy(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const GuardParts parts_;
  const uint64_t at_rest_;  // bytes
  Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time surveyed_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  int64_t arrived_ ABSL_GUARDED_BY(mutex_) = 0;             // calls, by the look before
  bool tidied_since_full_ ABSL_GUARDED_BY(mutex_) = false;  // since memory was found above the bound
  absl::Time busy_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  uint64_t tidied_ ABSL_GUARDED_BY(mutex_);  // bytes resident after memory was given back to an idle system
  absl::Time tidied_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time cut_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  int tidied_since_cut_ ABSL_GUARDED_BY(mutex_) = 2;  // times
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_NET_GUARD_H_
