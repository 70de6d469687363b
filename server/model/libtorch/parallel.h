// Splits work over the engine's threads; each piece of it runs on one thread.
#ifndef HYDROPHONE_SERVER_MODEL_LIBTORCH_PARALLEL_H_
#define HYDROPHONE_SERVER_MODEL_LIBTORCH_PARALLEL_H_

#include <c10/core/InferenceMode.h>

#include <atomic>
#include <cstdint>

#include "absl/functional/function_ref.h"

namespace hydrophone {

// Calls work() at the same time on `threads` of libtorch's intra-op threads, the calling one among them; on all of them
// when there are fewer (at::get_num_threads(), which each calling thread sets for itself). Returns when every call has
// returned. Inside another OnThreads, work() runs on the calling thread alone.
void OnThreads(int64_t threads, absl::FunctionRef<void()> work);

// Calls work(task) for each task in [0, tasks), on several threads. A thread takes the next task when it has finished
// one, because tasks differ in size and other processes hold threads up.
template <typename Work>
void ForEachTask(int64_t tasks, const Work& work) {
  std::atomic<int64_t> next = 0;
  OnThreads(tasks, [&] {
    c10::InferenceMode inference;  // InferenceMode is thread-local: each worker sets its own
    for (int64_t task = next++; task < tasks; task = next++) work(task);
  });
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_LIBTORCH_PARALLEL_H_
