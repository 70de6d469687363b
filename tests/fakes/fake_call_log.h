// A log of calls that a test reads and waits for.
#ifndef HYDROPHONE_TESTS_FAKES_FAKE_CALL_LOG_H_
#define HYDROPHONE_TESTS_FAKES_FAKE_CALL_LOG_H_

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "server/base/mutex.h"
#include "server/core/call_log.h"
#include "tests/fakes/await.h"

namespace hydrophone {

class FakeCallLog : public CallLog {
 public:
  void CallEnded(CallRecord call) override {
    MutexLock lock(&mutex_);
    calls_.push_back(std::move(call));
    changed_.SignalAll();
  }

  // The lines so far, once there are `count` of them; fails the test when that does not come.
  std::vector<CallRecord> Await(size_t count) {
    MutexLock lock(&mutex_);
    Patience patience(absl::StrCat(count, " calls in the log"));
    while (calls_.size() < count && patience.WaitOn(changed_, &mutex_)) {
    }
    if (calls_.size() < count) calls_.resize(count);
    return calls_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<CallRecord> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_FAKE_CALL_LOG_H_
