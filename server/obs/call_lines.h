// Calls' lines on their way into the log.
#ifndef HYDROPHONE_SERVER_OBS_CALL_LINES_H_
#define HYDROPHONE_SERVER_OBS_CALL_LINES_H_

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/core/call_log.h"
#include "server/core/metrics.h"
#include "server/obs/log.h"

namespace hydrophone {

// Writes lines a few milliseconds later on a thread of its own, so that a pipe that is not read holds up no call: when
// `max_waiting` calls wait for their lines, further lines are dropped, and counted.
class CallLines final : public CallLog {
 public:
  using Write = std::function<void(const CallRecord&)>;

  // `metrics` outlives this. `write` is called on the thread.
  explicit CallLines(Metrics* metrics, size_t max_waiting = 8192, Write write = LogCall);
  // Writes the lines that wait.
  ~CallLines() override;

  void CallEnded(CallRecord call) override ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until the lines of all calls that have ended are written.
  void Flush() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for calls, after those that it gave before were written; none when the thread is to end.
  std::vector<CallRecord> Take() ABSL_LOCKS_EXCLUDED(mutex_);

  Metrics* const metrics_;
  const size_t max_waiting_;
  const Write write_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<CallRecord> waiting_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;  // lines that were taken out of `waiting_`
  bool quitting_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_OBS_CALL_LINES_H_
