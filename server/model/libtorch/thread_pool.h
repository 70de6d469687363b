// Threads that help the calling one with a piece of work, if they come in time.
#ifndef HYDROPHONE_SERVER_MODEL_LIBTORCH_THREAD_POOL_H_
#define HYDROPHONE_SERVER_MODEL_LIBTORCH_THREAD_POOL_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "server/base/mutex.h"

namespace hydrophone {

// How long a helper stays awake for the next piece of work. Within a forward pass the next product follows in less, and
// waking a helper takes tens of microseconds; a helper that stayed awake for longer would take its processor from other
// processes for nothing.
inline constexpr std::chrono::microseconds kUsualAwake{50};

// One piece of work at a time: its owner opens it, helpers join it while it is open, and the owner closes it when its
// own part is done. So the owner waits for a helper that is at work, and never for one that has yet to wake up or to be
// given a processor by the system, as OpenMP's teams do.
//
// clang-format off
//   owner:  open ─► work() ─► close ─► waits until no helper is inside
//   helper: awake for a while, then asleep ─► join, if places are left ─► work() ─► leave
// clang-format on
//
// Thread-safe. While one thread's work is open, other threads' work runs on those alone.
class ThreadPool {
 public:
  // Each helper calls `begin` first.
  explicit ThreadPool(std::function<void()> begin);
  // Joins the helpers. No work may be open.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // How many threads work together from now on, the owner among them: at least 1. At first, 1.
  void SetThreads(int threads) ABSL_LOCKS_EXCLUDED(mutex_);
  int threads() const { return threads_; }
  void SetAwake(std::chrono::microseconds awake) { awake_ = awake; }

  // Calls work() on the calling thread, and at the same time on up to `threads` - 1 helpers. Returns when every call
  // has returned, and rethrows what one of them threw. Work that is opened from inside work() runs on its thread alone.
  void Run(int64_t threads, absl::FunctionRef<void()> work);

 private:
  // The loop of a helper.
  void Help();
  // Waits for an open piece of work and takes a place in it. False: the pool ends.
  bool Join();
  void Leave();
  void Open(uint32_t helpers);
  void CloseAndAwaitHelpers();
  // Calls work() and keeps what it throws.
  void Work(absl::FunctionRef<void()> work) ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits until `ready(value)`: awake at first, then asleep until `value` is notified.
  template <typename Ready>
  void Await(const std::atomic<uint32_t>& value, const Ready& ready) const;

  const std::function<void()> begin_;
  std::atomic<int> threads_ = 1;
  std::atomic<std::chrono::microseconds> awake_ = kUsualAwake;

  std::atomic<bool> owned_ = false;
  // The upper half: places that helpers may still take; the lower half: helpers inside. One word, so that no helper
  // joins once the owner has closed.
  std::atomic<uint32_t> doors_ = 0;
  std::atomic<uint32_t> emptied_ = 0;  // how often the last helper has left: what an owner sleeps on
  std::atomic<bool> quitting_ = false;
  const absl::FunctionRef<void()>* work_ = nullptr;  // set while no helper is inside; published by doors_

  Mutex mutex_;
  std::exception_ptr thrown_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> helpers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_LIBTORCH_THREAD_POOL_H_
