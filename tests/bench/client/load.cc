#include "tests/bench/client/load.h"

#include <atomic>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/clock.h"
#include "server/base/mutex.h"

namespace hydrophone::bench {
namespace {

class Loop {
 public:
  Loop(const Command& command, Caller& caller) : command_(command), caller_(caller), samples_(command.calls) {}

  // Runs one caller: makes calls until none is left, or one has failed.
  void Call() {
    for (size_t i = next_++; i < command_.calls && !failed_; i = next_++) {
      absl::Status status = caller_.Call(command_, i % command_.requests.size(), &samples_[i]);
      if (!status.ok()) Fail(status);
    }
  }

  absl::Status failure() {
    MutexLock lock(&mutex_);
    return failure_;
  }
  std::vector<Sample> TakeSamples() { return std::move(samples_); }

 private:
  void Fail(const absl::Status& status) {
    failed_ = true;
    MutexLock lock(&mutex_);
    failure_.Update(status);
  }

  const Command& command_;
  Caller& caller_;
  std::vector<Sample> samples_;  // by the number of the call; the caller that makes the call writes it
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<Load> RunLoad(const Command& command, Caller& caller) {
  Loop loop(command, caller);
  Load load;
  load.start = absl::Now();
  std::vector<std::thread> threads;
  for (size_t i = 1; i < command.callers; ++i) threads.emplace_back([&loop] { loop.Call(); });
  loop.Call();
  for (std::thread& thread : threads) thread.join();
  load.end = absl::Now();
  if (absl::Status failure = loop.failure(); !failure.ok()) return failure;
  load.samples = loop.TakeSamples();
  return load;
}

}  // namespace hydrophone::bench
