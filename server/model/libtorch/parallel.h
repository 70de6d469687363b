// Splits work over the engine's threads; each piece of it runs on one thread.
#ifndef HYDROPHONE_SERVER_MODEL_LIBTORCH_PARALLEL_H_
#define HYDROPHONE_SERVER_MODEL_LIBTORCH_PARALLEL_H_

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "absl/functional/function_ref.h"

namespace hydrophone {

// The threads that compute, one pool of them for the whole process: see ThreadPool.
void SetThreads(int threads);
int Threads();
void SetAwake(std::chrono::microseconds awake);

// Has libtorch's own operations, when the calling thread asks for them, run on that thread alone: their threads are
// OpenMP's, which stay awake for milliseconds after each operation, and would take the processors from ours.
void KeepLibtorchOnThisThread();

// Calls work() on the calling thread, and at the same time on up to `threads` - 1 others: see ThreadPool::Run.
void OnThreads(int64_t threads, absl::FunctionRef<void()> work);

// Fewer multiply-adds than this, about ten microseconds' work, are left to one thread: with half as much, a call of 16
// tokens of a model 64 wide takes a tenth longer, with twice as much, one of 64 tokens does. A thread that is awake
// joins within a microsecond or two, one that sleeps within tens of them.
inline constexpr int64_t kMultiplyAddsPerThread = int64_t{1} << 18;

// Calls work(task) for each task in [0, tasks), on as many threads as `multiply_adds` are worth, which is about what
// all tasks together compute. A thread takes the next task when it has finished one, because tasks differ in size and
// other processes hold threads up.
template <typename Work>
void ForEachTask(int64_t tasks, int64_t multiply_adds, const Work& work) {
  std::atomic<int64_t> next = 0;
  OnThreads(std::min(tasks, multiply_adds / kMultiplyAddsPerThread), [&] {
    c10::InferenceMode inference;  // InferenceMode is thread-local: each worker sets its own
    for (int64_t task = next++; task < tasks; task = next++) work(task);
  });
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_LIBTORCH_PARALLEL_H_
